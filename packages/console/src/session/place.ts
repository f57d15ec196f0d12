import { computed, signal } from '@preact/signals';
import { fragment, onFragment, setFragment } from '../runtime/browser.ts';

/* Where in the page a person is: `#/keys/key_…`. Nothing secret ever stands there. */

const text = signal(fragment());
onFragment(() => {
  text.value = fragment();
});

export const place = computed(() => {
  const [path = '', query = ''] = text.value.split('?', 2);
  const [, page = 'flow', id] = path.split('/');
  return { page: page === '' ? 'flow' : page, id, query: new URLSearchParams(query) };
});

export const goTo = (path: string): void => setFragment(path);

import { useEffect } from 'preact/hooks';
import { every } from '../runtime/browser.ts';

/** Asks again now and then, while the tab is looked at. */
export function usePoll(periodMs: number, again: () => void): void {
  useEffect(
    () =>
      every(periodMs, () => {
        if (document.visibilityState === 'visible') again();
      }),
    [periodMs, again],
  );
}

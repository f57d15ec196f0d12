import { fragment, replaceFragment } from '../runtime/browser.ts';

const handed = /^key=([\x21-\x7e]{1,512})$/;

/**
 * A key that whoever started the server hands over in the fragment of the address, which no browser sends to a server.
 * It is taken out of the address and of the history before anything else happens.
 */
export function takeHandedKey(): string | undefined {
  const [, key] = handed.exec(fragment()) ?? [];
  if (key !== undefined) replaceFragment('/flow');
  return key;
}

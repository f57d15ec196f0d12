import { Fault, findKeyString, mintedKeyLengthMin } from '@keyswarm/core';

/**
 * URLs end up in the logs of every proxy on the way, so a key string in one is as good as published. The request
 * is refused whatever it asks for, which tells whoever wrote it, at the first try.
 */
export function secretInUrl(): Fault {
  return new Fault('secret_in_url', {
    detail:
      'Treat this key as leaked: URLs are logged. Send keys in the body or in the Authorization header.',
    expected: 'no key string in the URL',
  });
}

/** Percent-encoding hides nothing. */
export function hasKeyString(url: string): boolean {
  if (url.length < mintedKeyLengthMin) return false;
  return findKeyString(url) || (url.includes('%') && findKeyString(decoded(url)));
}

/** Only what a key string is made of has to come out right; broken escapes elsewhere stay as they are. */
function decoded(url: string): string {
  return url.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

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
  return holdsSecret(url) || (url.includes('%') && holdsSecret(decoded(url)));
}

function holdsSecret(text: string): boolean {
  return findKeyString(text) || findToken(text);
}

/** As long as the headers of our tokens are; a longer one is not looked for. */
const tokenHeadLength = 200;

/** A JWT, whoever signed it: a header and claims, each of which begins with `{"` in base64url. Time is linear in the text. */
function findToken(text: string): boolean {
  for (let at = text.indexOf('.eyJ'); at !== -1; at = text.indexOf('.eyJ', at + 1)) {
    if (/eyJ[\w-]{16,}$/.test(text.slice(Math.max(0, at - tokenHeadLength), at))) return true;
  }
  return false;
}

/** Only what a key string is made of has to come out right; broken escapes elsewhere stay as they are. */
function decoded(url: string): string {
  return url.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

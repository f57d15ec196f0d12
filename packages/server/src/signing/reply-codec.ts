import { Secret } from '@keyswarm/core';

/*
 * A reply that is kept for replay, as bytes. JSON with two additions, since a reply holds secrets and
 * fingerprints: `{"$secret": …}` and `{"$bytes": …}`. A member of a plain object that begins with `$` (metadata
 * is free text) gets a second one, so that nothing a caller wrote is ever read as one of the two.
 *
 * The result goes straight into the cipher. `JSON.stringify` alone would write `[secret]`.
 */

export function encodeReply(reply: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(plainOf(reply)) ?? 'null', 'utf8');
}

export function decodeReply(bytes: Uint8Array): unknown {
  return liveOf(JSON.parse(Buffer.from(bytes).toString('utf8')));
}

function plainOf(value: unknown): unknown {
  if (value instanceof Secret) return { $secret: value.reveal() };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(plainOf);
  if (value === null || typeof value !== 'object') return value;
  return mapMembers(value, (name) => (name.startsWith('$') ? `$${name}` : name), plainOf);
}

function liveOf(plain: unknown): unknown {
  if (Array.isArray(plain)) return plain.map(liveOf);
  if (plain === null || typeof plain !== 'object') return plain;
  const { $secret, $bytes } = plain as { readonly $secret?: unknown; readonly $bytes?: unknown };
  if (typeof $secret === 'string') return new Secret($secret);
  if (typeof $bytes === 'string') return new Uint8Array(Buffer.from($bytes, 'base64'));
  return mapMembers(plain, (name) => (name.startsWith('$') ? name.slice(1) : name), liveOf);
}

/** `fromEntries` defines members, so that one named `__proto__` stays a member. */
function mapMembers(
  object: object,
  rename: (name: string) => string,
  map: (value: unknown) => unknown,
): object {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [rename(name), map(value)]));
}

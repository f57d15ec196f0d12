import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { type Algorithm, assert } from '@keyswarm/core';

/*
 * Public keys as they come from their holders, as they are kept, and as they verify. Kept is the raw form: the members
 * of the JWK one after the other, which have fixed lengths for each algorithm (32 bytes for Ed25519, 64 for P-256).
 */

/**
 * The points of small order of Curve25519, in every encoding that a verifier may take (the last ones are not canonical).
 * For such a "public key" anybody can make signatures that verify: it would prove possession of nothing.
 */
const smallOrderPoints: ReadonlySet<string> = new Set(
  [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ].flatMap((hex) => [hex, withSign(hex)]),
);

/** Bytes of the raw form; 0 where an algorithm has no public keys. */
export function publicKeyBytes({ jwk }: Algorithm): number {
  return Object.values(jwk.members).reduce((sum, bytes) => sum + bytes, 0);
}

/** A public key out of its raw form; undefined when it can't be one, or is one that proves nothing. */
export function publicKeyOf(algorithm: Algorithm, raw: Uint8Array): KeyObject | undefined {
  assert(algorithm.kind === 'signature', 'a MAC has no public key');
  if (raw.length !== publicKeyBytes(algorithm)) return undefined;
  if (smallOrderPoints.has(Buffer.from(raw).toString('hex'))) return undefined;
  try {
    return createPublicKey({ key: jwkOf(algorithm, raw), format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** The raw form as a JWK (RFC 7517) of nothing but the key itself. */
export function jwkOf({ jwk }: Algorithm, raw: Uint8Array): JsonWebKey {
  let at = 0;
  const members = Object.entries(jwk.members).map(([name, bytes]) => {
    at += bytes;
    return [name, Buffer.from(raw.subarray(at - bytes, at)).toString('base64url')];
  });
  return { kty: jwk.kty, ...(jwk.crv === null ? {} : { crv: jwk.crv }), ...Object.fromEntries(members) };
}

/** The raw form out of a JWK; undefined when it isn't a public key of this algorithm. A private member refuses it. */
export function rawOfJwk(
  { jwk }: Algorithm,
  given: Readonly<Record<string, unknown>>,
): Uint8Array | undefined {
  if (given.kty !== jwk.kty || given.crv !== (jwk.crv ?? undefined) || Object.hasOwn(given, 'd'))
    return undefined;
  const parts: Uint8Array[] = [];
  for (const [name, bytes] of Object.entries(jwk.members)) {
    const part = bytesOfBase64url(given[name], bytes);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts.length === 0 ? undefined : Buffer.concat(parts);
}

/** Exactly so many bytes from base64url without padding, in the one spelling that they have; else undefined. */
export function bytesOfBase64url(text: unknown, length: number): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length !== Math.ceil((length * 4) / 3)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === length && bytes.toString('base64url') === text ? bytes : undefined;
}

/** The same y with the other sign of x: the top bit of the last byte. */
function withSign(hex: string): string {
  const last = Number.parseInt(hex.slice(-2), 16) ^ 0x80;
  return hex.slice(0, -2) + last.toString(16).padStart(2, '0');
}

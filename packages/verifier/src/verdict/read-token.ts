import { Buffer } from 'node:buffer';
import {
  parseId,
  readTokenClaims,
  type SigningKeyId,
  scopesOfClaim,
  type TokenClaims,
  tokenLengthMax,
} from '@keyswarm/core';
import { bytesOfBase64url } from '../signatures/public-key.ts';
import type { SigningKeyEntry, SigningKeys } from '../table/signing-keys.ts';

/*
 * A token, read and its signature verified: `shape → signing key → signature → claims`, in this order, so that not a
 * byte of the claims is parsed that the authority didn't sign. What comes out never changes and can be remembered under the
 * token's digest; whether it counts now is asked of the table each time (judge-key.ts).
 */

/** A derived token hangs on the version with this fingerprint, of that key. */
export interface TokenParent {
  /** The words by which the table finds the version. */
  readonly words: readonly [number, number, number, number];
  readonly keyId: string;
  readonly depth: number;
}

export interface ReadToken {
  readonly signingKeyId: SigningKeyId;
  readonly issuedAtMs: number;
  readonly notBeforeMs: number;
  readonly expiresAtMs: number;
  /** The keyspace that it is for. */
  readonly audience: string;
  readonly keyId: string;
  readonly scopes: readonly string[];
  /** Undefined: the token is a key itself, and is found by its own digest. */
  readonly parent: TokenParent | undefined;
}

export type TokenRefusal = 'malformed' | 'unknown' | 'signature_invalid';

/** `{"` in base64url: what a JSON header begins with, and no key string of ours. */
export function looksLikeToken(text: unknown): boolean {
  return (
    typeof text === 'string' &&
    text.charCodeAt(0) === 0x65 &&
    text.charCodeAt(1) === 0x79 &&
    text.charCodeAt(2) === 0x4a
  );
}

/** Longer than any header of ours. */
const headerLengthMax = 160;

/**
 * Is it one of our tokens, or made to look like one? `foreign` is any other text: a key of another system may well be a
 * JWT, and is found by its digest like any imported key.
 */
export function tokenKind(keys: SigningKeys, text: string): SigningKeyEntry | TokenRefusal | 'foreign' {
  const headerEnd = text.indexOf('.');
  if (headerEnd <= 0 || headerEnd > headerLengthMax) return 'foreign';
  const header = text.slice(0, headerEnd);
  const entry = keys.findByHeader(header);
  if (entry !== undefined) return text.length > tokenLengthMax ? 'malformed' : entry;
  const kid = kidOf(header);
  if (kid === undefined) return 'foreign';
  if (text.length > tokenLengthMax) return 'malformed';
  // Our key under another algorithm, another type or with more than there should be: somebody has been at it.
  return keys.find(kid) === undefined ? 'unknown' : 'signature_invalid';
}

/** Verifies what `tokenKind` found to be signed with `entry`, by all that its header says. */
export function readToken(entry: SigningKeyEntry, text: string): ReadToken | TokenRefusal {
  const headerEnd = text.indexOf('.');
  const claimsEnd = text.indexOf('.', headerEnd + 1);
  if (claimsEnd === -1) return 'malformed';
  const { algorithm, check } = entry;
  const signature = bytesOfBase64url(text.slice(claimsEnd + 1), algorithm.signatureBytes);
  if (signature === undefined || check === undefined) return 'malformed';
  const signed = Buffer.from(text.slice(0, claimsEnd), 'latin1');
  if (!check(signed, signature)) return 'signature_invalid';
  const claims = claimsOf(text.slice(headerEnd + 1, claimsEnd));
  return claims === undefined || claims.iss !== entry.issuer ? 'malformed' : tokenOf(entry, claims);
}

/** The `kid` of a header that names a signing key of ours; only to tell what it is that is refused. */
function kidOf(header: string): SigningKeyId | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null || !('kid' in json)) return undefined;
  return typeof json.kid === 'string' ? parseId('sk', json.kid) : undefined;
}

function claimsOf(encoded: string): TokenClaims | undefined {
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.toString('base64url') !== encoded) return undefined;
  return readTokenClaims(bytes.toString('utf8'));
}

function tokenOf(entry: SigningKeyEntry, claims: TokenClaims): ReadToken {
  const { keyswarm } = claims;
  return {
    signingKeyId: entry.id,
    issuedAtMs: claims.iat * 1000,
    notBeforeMs: claims.nbf * 1000,
    expiresAtMs: claims.exp * 1000,
    audience: claims.aud,
    keyId: claims.client_id,
    scopes: Object.freeze([...scopesOfClaim(claims.scope)]),
    parent:
      keyswarm === undefined
        ? undefined
        : { words: wordsOf(keyswarm.parent), keyId: claims.client_id, depth: keyswarm.depth },
  };
}

function wordsOf(fingerprint: string): readonly [number, number, number, number] {
  const bytes = Buffer.from(fingerprint, 'base64url');
  return [bytes.readInt32BE(0), bytes.readInt32BE(4), bytes.readInt32BE(8), bytes.readInt32BE(12)];
}

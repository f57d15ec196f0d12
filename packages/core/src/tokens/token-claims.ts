import type { JsonObject } from '../encoding/json.ts';
import { isPlainObject } from '../facts/event-data.ts';
import { parseId } from '../ids/id-codec.ts';
import type { KeyId, KeyspaceId, OwnerId } from '../ids/ids.ts';
import { deriveDepthMax, issuerLengthMax, scopesPerKeyMax, tokenTimeSecondsMax } from '../limits/limits.ts';
import { isScope } from '../scopes/scopes.ts';

/*
 * What a token says (RFC 9068, an access token as a JWT), and what we demand of one that claims to be ours.
 *
 * Two kinds. A *key token* is the secret of a key: its record is found by the hash of the token, as that of any key
 * string. A *derived token* is no key and is stored nowhere: it names the version of the key that it was derived
 * from by the fingerprint that verifiers find versions by (16 bytes of SHA-256 of a random string: it opens nothing),
 * and it is worth what that version is worth at that moment, or less.
 *
 * Our tokens have one spelling: a header and claims as they are written here, member by member. What differs (another
 * `typ`, a member twice, a `crit`, a nested list where a text is due) isn't one of them, whoever signed it.
 */

export interface TokenClaims {
  readonly iss: string;
  /** Whose key it is. */
  readonly sub: OwnerId;
  /** The keyspace, by its id: names can be the same in two workspaces, and an issuer serves both. */
  readonly aud: KeyspaceId;
  /** The key. */
  readonly client_id: KeyId;
  /** Sorted, separated by blanks; absent: none. */
  readonly scope?: string;
  /** Unix seconds, as all times here. */
  readonly exp: number;
  readonly nbf: number;
  readonly iat: number;
  readonly jti: string;
  /** OAuth token status list: where a reader that doesn't follow the feed sees whether it was revoked. */
  readonly status?: { readonly status_list: { readonly idx: number; readonly uri: string } };
  /** Of a derived token. */
  readonly keyswarm?: {
    /** base64url of the parent version's fingerprint. */
    readonly parent: string;
    /** 1: derived of a key; 2: of a token that was derived of a key. */
    readonly depth: number;
  };
}

export const tokenType = 'at+jwt';

/** The header, to the letter. `jose` is the algorithm's name in JOSE. */
export function tokenHeaderText(jose: string, kid: string, typ: string = tokenType): string {
  return `{"alg":"${jose}","typ":"${typ}","kid":"${kid}"}`;
}

/** The claims in the one order that they are written in. */
export function tokenClaimsText(claims: TokenClaims): string {
  const { iss, sub, aud, client_id, scope, exp, nbf, iat, jti, status, keyswarm } = claims;
  const ordered: JsonObject = {
    iss,
    sub,
    aud,
    client_id,
    ...(scope === undefined ? {} : { scope }),
    exp,
    nbf,
    iat,
    jti,
    ...(status === undefined
      ? {}
      : { status: { status_list: { idx: status.status_list.idx, uri: status.status_list.uri } } }),
    ...(keyswarm === undefined ? {} : { keyswarm: { parent: keyswarm.parent, depth: keyswarm.depth } }),
  };
  return JSON.stringify(ordered);
}

const fingerprintText = /^[A-Za-z0-9_-]{21}[AQgw]$/;
const jtiText = /^[A-Za-z0-9_-]{16,64}$/;

/** Strictly; undefined for what isn't written as `tokenClaimsText` writes it. */
export function readTokenClaims(text: string): TokenClaims | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isPlainObject(json)) return undefined;
  const claims = json as unknown as TokenClaims;
  if (!areClaims(claims)) return undefined;
  // A member twice, in another order, unknown or with an escape: it was not written by us.
  return tokenClaimsText(claims) === text ? claims : undefined;
}

/** Of a derived token only; the scopes of a claim that has none are none. */
export function scopesOfClaim(scope: string | undefined): readonly string[] {
  return scope === undefined ? [] : scope.split(' ');
}

function areClaims(
  claims: Readonly<Record<keyof TokenClaims, unknown>> | TokenClaims,
): claims is TokenClaims {
  const { iss, sub, aud, client_id, scope, exp, nbf, iat, jti, status, keyswarm } = claims;
  return (
    typeof iss === 'string' &&
    iss.length <= issuerLengthMax &&
    isIdOf('own', sub) &&
    isIdOf('ks', aud) &&
    isIdOf('key', client_id) &&
    isScopeText(scope) &&
    isTime(exp) &&
    isTime(nbf) &&
    isTime(iat) &&
    typeof jti === 'string' &&
    jtiText.test(jti) &&
    isStatus(status) &&
    isParent(keyswarm)
  );
}

function isIdOf(kind: 'own' | 'ks' | 'key', value: unknown): boolean {
  return typeof value === 'string' && parseId(kind, value) !== undefined;
}

function isTime(value: unknown): boolean {
  return (
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= tokenTimeSecondsMax
  );
}

function isScopeText(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== 'string') return false;
  const scopes = value.split(' ');
  return (
    scopes.length <= scopesPerKeyMax &&
    scopes.every((scope, at) => isScope(scope) && (at === 0 || scope > (scopes[at - 1] ?? '')))
  );
}

function isStatus(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isPlainObject(value) || !isPlainObject(value.status_list)) return false;
  const { idx, uri } = value.status_list;
  return typeof idx === 'number' && Number.isSafeInteger(idx) && idx >= 0 && typeof uri === 'string';
}

function isParent(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isPlainObject(value)) return false;
  const { parent, depth } = value;
  return (
    typeof parent === 'string' &&
    fingerprintText.test(parent) &&
    typeof depth === 'number' &&
    Number.isInteger(depth) &&
    depth >= 1 &&
    depth <= deriveDepthMax
  );
}

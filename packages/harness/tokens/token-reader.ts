import { StatusList } from '@sd-jwt/jwt-status-list';
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify } from 'jose';

/*
 * A reader of tokens that has never heard of us: `jose` verifies by the JWKS, `@sd-jwt/jwt-status-list` reads the status
 * list, and both are fetched again no sooner than what the issuer says of their age. It follows no feed.
 */

export interface ReaderCounts {
  readonly jwksFetches: number;
  readonly listFetches: number;
}

export interface TokenReader {
  /** `valid`, `revoked`, `suspended`, or the code of what `jose` has against it. */
  verify(token: string, audience: string): Promise<string>;
  counts(): ReaderCounts;
  /** The longest `ttl` that a list has had, seconds. */
  ttlSeconds(): number;
}

interface KnownList {
  readonly list: StatusList;
  readonly freshUntilMs: number;
}

export interface ReaderOptions {
  readonly issuer: string;
  /** As the JWKS says of itself: max-age. */
  readonly jwksMaxAgeMs: number;
  /** Between two fetches on account of unknown keys: 30 s, as `jose` has it unless told otherwise. */
  readonly cooldownMs: number;
}

export function createTokenReader({ issuer, jwksMaxAgeMs, cooldownMs }: ReaderOptions): TokenReader {
  let jwksFetches = 0;
  let listFetches = 0;
  let ttlSeconds = 0;
  const lists = new Map<string, Promise<KnownList>>();
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer), {
    cacheMaxAge: jwksMaxAgeMs,
    cooldownDuration: cooldownMs,
    [customFetch]: (url: string, options: RequestInit) => {
      jwksFetches += 1;
      return fetch(url, options);
    },
  });

  async function fetchList(uri: string): Promise<KnownList> {
    listFetches += 1;
    const askedMs = performance.now();
    const response = await fetch(uri, { headers: { accept: 'application/statuslist+jwt' } });
    if (response.status !== 200) throw new Error(`${uri}: ${response.status}`);
    const { payload } = await jwtVerify(await response.text(), keys, { issuer, typ: 'statuslist+jwt' });
    if (payload.sub !== uri) throw new Error(`the list of ${uri} says that it is ${payload.sub}`);
    const { bits, lst } = payload.status_list as { bits: 1 | 2 | 4 | 8; lst: string };
    const ttl = Number(payload.ttl);
    if (!(ttl > 0)) throw new Error('a list without a ttl');
    ttlSeconds = Math.max(ttlSeconds, ttl);
    return { list: StatusList.decompressStatusList(lst, bits), freshUntilMs: askedMs + ttl * 1000 };
  }

  async function listAt(uri: string): Promise<KnownList> {
    const known = await lists.get(uri);
    if (known !== undefined && performance.now() < known.freshUntilMs) return known;
    const present = lists.get(uri);
    // Of many that find it too old at once, one fetches it.
    const isStillThat = present === undefined || (await present) === known;
    if (isStillThat && lists.get(uri) === present) lists.set(uri, fetchList(uri));
    return (await lists.get(uri)) ?? (await fetchList(uri));
  }

  return {
    async verify(token, audience) {
      let payload: JWTPayload;
      try {
        ({ payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' }));
      } catch (error) {
        if (error instanceof errors.JOSEError) return error.code;
        throw error;
      }
      const place = placeOf(payload);
      if (place === undefined) return 'valid';
      const status = (await listAt(place.uri)).list.getStatus(place.idx);
      return ['valid', 'revoked', 'suspended'][status] ?? 'unknown_status';
    },
    counts: () => ({ jwksFetches, listFetches }),
    ttlSeconds: () => ttlSeconds,
  };
}

function placeOf(payload: JWTPayload): { readonly idx: number; readonly uri: string } | undefined {
  const { status } = payload as { status?: { status_list?: { idx: number; uri: string } } };
  return status?.status_list;
}

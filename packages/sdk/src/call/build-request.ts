import type { BodyOf, OperationId, ParamsOf, QueryOf } from '@keyswarm/contract';
import { type OAuthOperationId, type Route, routes } from '@keyswarm/contract/routes';
import { Secret, tokenLengthMax } from '@keyswarm/core';

/** Parts that the operation has; a part without a required field may be left out. */
export interface CallInput<Id extends OperationId> {
  readonly params?: ParamsOf<Id>;
  readonly query?: QueryOf<Id>;
  readonly body?: BodyOf<Id>;
}

/** All of one call that stays the same however often it is sent. */
export interface PreparedRequest {
  readonly operationId: OperationId | OAuthOperationId;
  readonly route: Route;
  readonly url: string;
  readonly body: string | undefined;
  readonly contentType: string;
  /** `/healthz` and its like are for everyone; who doesn't need the key doesn't get it. */
  readonly sendsCredential: boolean;
  /** In the body, besides the management key: neither is repeated in an error. */
  readonly secret?: Secret | undefined;
  readonly idempotencyKey: string | undefined;
}

export interface RequestMaterial {
  readonly baseUrl: string;
  readonly idempotencyKey: string | undefined;
  readonly newIdempotencyKey: () => string;
}

/**
 * The body is written out once: a caller who changes an object while a retry waits would else send another
 * request under the same Idempotency-Key.
 */
export function buildRequest<Id extends OperationId>(
  material: RequestMaterial,
  operationId: Id,
  input: CallInput<Id>,
): PreparedRequest {
  const route: Route = routes[operationId];
  const takesBody = route.method !== 'GET';
  return {
    operationId,
    route,
    url: `${material.baseUrl}${pathOf(route.path, input.params ?? {})}${queryOf(input.query ?? {})}`,
    body: takesBody ? JSON.stringify(input.body ?? {}) : undefined,
    contentType: 'application/json',
    sendsCredential: route.path.startsWith('/v1/'),
    idempotencyKey: route.idempotent ? (material.idempotencyKey ?? material.newIdempotencyKey()) : undefined,
  };
}

/** Without a trailing slash. A URL that carries a password, a query or another scheme is a mistake. */
export function baseUrlOf(text: string): string {
  if (!URL.canParse(text)) throw new TypeError('baseUrl is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError('baseUrl must be http(s)');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('baseUrl must have neither credentials nor a query nor a fragment');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/**
 * A key that can't stand in a header is refused here, where nothing repeats it: `fetch` would quote the whole
 * header in its error.
 */
export function managementKeyOf(key: string | Secret): Secret {
  const secret = typeof key === 'string' ? new Secret(key) : key;
  // A token of a key is a credential as well, and longer than any key string.
  if (secret.reveal().length > tokenLengthMax || !/^[\x21-\x7e]+$/.test(secret.reveal())) {
    throw new TypeError(
      `managementKey must be 1 to ${tokenLengthMax} printable ASCII characters without blanks`,
    );
  }
  return secret;
}

function pathOf(path: string, params: object): string {
  const values = params as Readonly<Record<string, unknown>>;
  return path.replace(/:([a-z_]+)/g, (_, name: string) => {
    const value = values[name];
    // An empty or dotted segment would name another resource than the caller means.
    if (typeof value !== 'string' || value === '' || value === '.' || value === '..') {
      throw new TypeError(`${name} is required`);
    }
    return encodeURIComponent(value);
  });
}

function queryOf(query: object): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

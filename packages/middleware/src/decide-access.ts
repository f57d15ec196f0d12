import type { FieldLines } from '@keyswarm/http-signatures';
import { claimsContent, isSigned } from '@keyswarm/http-signatures';
import type { RequestContent, ResidentAnswer, Verifier } from '@keyswarm/verifier';
import { authorizationLengthMax, retryAfterSeconds, signedBodyBytesMax } from './limits.ts';

/*
 * What every framework is asked in the same way: is this request let in, by whose key, and if not, what is it told? A
 * request that is signed is judged by its signature alone, whatever it bears besides; any other by `Authorization:
 * Bearer`, be that a key string or a token.
 *
 *   401   no key, or none that is good here; a signature that is not accepted, with words about the request
 *   403   a good key that lacks a scope
 *   413   signed content that is longer than may be held
 *   429   too many signed requests of the key
 *   503   it can't be said now: never 200, never 401
 */

export type AccessVerdict = Extract<ResidentAnswer, { readonly valid: true }>;

export interface AccessOptions {
  readonly verifier: Pick<Verifier, 'verifyFresh' | 'verifyRequestFresh'>;
  /** Id or name; absent: any keyspace that the verifier knows. */
  readonly keyspace?: string | undefined;
  /** Every one of them must be covered by the key's scopes. */
  readonly scopes?: readonly string[] | undefined;
  /** Absent: signed requests are refused. */
  readonly signed?: SignedOptions | undefined;
}

export interface SignedOptions {
  /**
   * Scheme and host by which clients reach this service, such as `https://orders.example`: what they sign. Not taken from
   * the request, whose `Host` is whatever its sender likes.
   */
  readonly origin: string;
  /** 1 MiB by default. */
  readonly bodyBytesMax?: number | undefined;
}

/** What a framework knows of a request. */
export interface AskedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly fields: FieldLines;
  /** Called once, for a signed request with content. Undefined: there is more than the given number of bytes. */
  readBody(bytesMax: number): Promise<Uint8Array | undefined>;
}

export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `application/problem+json`. */
  readonly body: string;
}

export type Decision =
  | { readonly granted: AccessVerdict; readonly refused?: undefined }
  | { readonly refused: Refusal; readonly granted?: undefined };

/** Checks the options, so that a service which would let nobody in does not start. */
export function accessOf(options: AccessOptions): (request: AskedRequest) => Promise<Decision> {
  const { verifier, keyspace, scopes, signed } = options;
  if (signed !== undefined && !originShape.test(signed.origin))
    throw new TypeError('signed.origin must be a scheme and a host, such as https://orders.example');
  const requirement = { keyspace, scopes };
  return async (request) => {
    if (!isSigned(request)) {
      const key = bearerOf(request.fields);
      return key === undefined
        ? refusedAs(401, 'invalid_token')
        : decisionOf(await verifier.verifyFresh(key, requirement), scopes);
    }
    if (signed === undefined)
      return refusedAs(401, 'invalid_token', 'Signed requests are not accepted here.');
    const content = await contentOf(request, signed.bodyBytesMax ?? signedBodyBytesMax);
    if (content === undefined) return refusedAs(413, 'content_too_large');
    const { method, fields, target } = request;
    const asked = { method, fields, content, url: signed.origin + target };
    return decisionOf(await verifier.verifyRequestFresh(asked, requirement), scopes);
  };
}

const originShape = /^https?:\/\/[^/?#@\s]+$/;

async function contentOf(request: AskedRequest, bytesMax: number): Promise<RequestContent | undefined> {
  if (!claimsContent(request)) return { kind: 'none' };
  const bytes = await request.readBody(bytesMax);
  return bytes === undefined ? undefined : { kind: 'bytes', bytes };
}

/** Undefined where there is none, or more than one: which of them counts, two readers would not agree on. */
function bearerOf(fields: FieldLines): string | undefined {
  const [line, ...more] = fields('authorization');
  if (line === undefined || more.length > 0 || line.length > authorizationLengthMax) return undefined;
  return /^bearer +(\S+)$/i.exec(line)?.[1];
}

function decisionOf(answer: ResidentAnswer, scopes: readonly string[] | undefined): Decision {
  if (answer.valid === true) return { granted: answer };
  if (answer.valid === null) return refusedAs(503, 'stale');
  if (answer.code === 'rate_limited') return refusedAs(429, 'rate_limited');
  if (answer.code === 'insufficient_scope') return refusedAs(403, 'insufficient_scope', undefined, scopes);
  if (answer.code === 'signature_required')
    return refusedAs(401, 'signature_required', 'Sign the request: a bare key is not accepted here.');
  const words = answer.code === 'replayed' ? 'The request was accepted once before.' : answer.detail;
  return refusedAs(401, 'invalid_token', words);
}

const titles: Readonly<Record<string, string>> = {
  invalid_token: 'A valid key is required',
  signature_required: 'A signature is required',
  insufficient_scope: 'The key lacks a scope',
  content_too_large: 'The signed content is longer than accepted',
  rate_limited: 'Too many signed requests of this key',
  stale: 'It can not be proved now that the key is valid',
};

function refusedAs(
  status: number,
  code: string,
  detail?: string,
  scopes?: readonly string[],
): { readonly refused: Refusal } {
  const error = code === 'signature_required' ? 'invalid_token' : code;
  const scope = scopes === undefined || scopes.length === 0 ? '' : `, scope="${scopes.join(' ')}"`;
  return {
    refused: {
      status,
      headers: {
        'content-type': 'application/problem+json; charset=utf-8',
        'cache-control': 'no-store',
        ...(status === 401 || status === 403
          ? { 'www-authenticate': `Bearer realm="keyswarm", error="${error}"${scope}` }
          : {}),
        ...(status === 429 || status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {}),
      },
      body: JSON.stringify({
        type: 'about:blank',
        title: titles[code] ?? code,
        status,
        code,
        ...(detail === undefined ? {} : { detail }),
      }),
    },
  };
}

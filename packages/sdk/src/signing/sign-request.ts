import { signatureLifetimeDefaultSeconds, signedRequestProfile } from '@keyswarm/core';
import {
  buildSignatureBase,
  component,
  digestAlgorithms,
  fieldsOfPairs,
  formatContentDigest,
  formatSignature,
  type SignatureInput,
} from '@keyswarm/http-signatures';
import type { Runtime } from '../runtime/runtime.ts';
import type { RequestSigner } from './request-signer.ts';

export interface RequestToSign {
  readonly method: string;
  /** Absolute; as it will be sent. A fragment is left out, as it is from the request. */
  readonly url: string;
  /** Undefined: there is none. */
  readonly body?: Uint8Array | undefined;
}

export interface SignOptions {
  /** For how long the signature counts, 1 to 60 s; 30 by default. The shorter, the less a captured request is good for. */
  readonly lifetimeSeconds?: number | undefined;
  readonly runtime: Pick<Runtime, 'wallMs' | 'newNonce'>;
}

/** Members are the names of fields in lower case. */
export type SignedFields = Readonly<Record<string, string>>;

const label = signedRequestProfile.tag;
const encoder = new TextEncoder();
const nothing = new Uint8Array();
const withoutContent: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** The fields that make a request a signed one. Every sending needs its own: a nonce counts once. */
export async function signRequest(
  request: RequestToSign,
  signer: RequestSigner,
  { lifetimeSeconds = signatureLifetimeDefaultSeconds, runtime }: SignOptions,
): Promise<SignedFields> {
  const { lifetimeSecondsMax, tag, components, componentsWithContent } = signedRequestProfile;
  if (!(Number.isInteger(lifetimeSeconds) && lifetimeSeconds >= 1 && lifetimeSeconds <= lifetimeSecondsMax))
    throw new TypeError(`lifetimeSeconds must be a whole number from 1 to ${lifetimeSecondsMax}`);
  // A request that may have content and has none says so, and whoever passes it on can put none in.
  const hasDigest = request.body !== undefined || !withoutContent.has(request.method);
  const digest = hasDigest ? { 'content-digest': await digestOf(request.body ?? nothing) } : {};
  const covered: readonly string[] = hasDigest ? [...components, ...componentsWithContent] : components;
  const created = Math.floor(runtime.wallMs() / 1000);
  const input: SignatureInput = {
    components: covered.map((name) => component(name)),
    parameters: new Map<string, string | number>([
      ['created', created],
      ['expires', created + lifetimeSeconds],
      ['nonce', runtime.newNonce()],
      ['keyid', signer.keyId],
      ['tag', tag],
    ]),
  };
  const message = {
    method: request.method,
    url: withoutFragment(request.url),
    fields: fieldsOfPairs(Object.entries(digest)),
  };
  const signature = await signer.sign(encoder.encode(buildSignatureBase(message, input)));
  return { ...digest, ...formatSignature(label, input, signature) };
}

async function digestOf(body: Uint8Array): Promise<string> {
  const algorithm = digestAlgorithms['sha-256'];
  const bytes = new Uint8Array(await crypto.subtle.digest(algorithm.webCrypto, Uint8Array.from(body)));
  return formatContentDigest({ algorithm, bytes });
}

function withoutFragment(url: string): string {
  const at = url.indexOf('#');
  return at === -1 ? url : url.slice(0, at);
}

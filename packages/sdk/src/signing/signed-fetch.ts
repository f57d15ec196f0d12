import type { Runtime } from '../runtime/runtime.ts';
import { systemRuntime } from '../runtime/system-runtime.ts';
import type { RequestSigner } from './request-signer.ts';
import { signRequest } from './sign-request.ts';

export interface SignedFetchOptions {
  readonly signer: RequestSigner;
  /** 1 to 60 s; 30 by default. */
  readonly lifetimeSeconds?: number | undefined;
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  readonly runtime?: Pick<Runtime, 'wallMs' | 'newNonce'> | undefined;
}

export type SignedFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * `fetch` that signs: takes what fetch takes and sends it with a signature of its own each time. The content is read
 * into memory first, since its digest is signed; a body that can't be read twice can't be sent twice. A redirect is an
 * error unless the caller asks for another handling: the signature holds for the one URI, and a signature of another
 * would tell whoever redirects that we sign whatever they name.
 */
export function createSignedFetch(options: SignedFetchOptions): SignedFetch {
  const { signer, lifetimeSeconds, runtime = systemRuntime } = options;
  const send = options.fetch ?? ((request: Request) => fetch(request));
  return async (input, init = {}) => {
    const given = new Request(input, { redirect: 'error', ...init });
    const body = new Uint8Array(await given.arrayBuffer());
    const { method, url } = given;
    const content = body.length === 0 ? {} : { body };
    const fields = await signRequest({ method, url, ...content }, signer, { lifetimeSeconds, runtime });
    const headers = new Headers(given.headers);
    for (const [name, value] of Object.entries(fields)) headers.set(name, value);
    const { redirect, signal } = given;
    return send(new Request(url, { method, headers, redirect, signal, ...content }));
  };
}

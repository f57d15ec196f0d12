import { hash, type KeyObject } from 'node:crypto';
import { type Algorithm, signedRequestProfile } from '@keyswarm/core';
import {
  buildSignatureBase,
  component,
  digestAlgorithms,
  fieldsOfPairs,
  formatContentDigest,
  formatSignature,
  type SignatureInput,
} from '@keyswarm/http-signatures';
import { signBytes } from '../sign-bytes.ts';
import type { SignedRequest } from '../signed-request.ts';

export interface SignSample {
  readonly keyId: string;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
  /** Unix seconds. */
  readonly created: number;
  readonly expires?: number;
  readonly nonce?: string;
  readonly method?: string;
  readonly url?: string;
  readonly body?: string;
  readonly components?: readonly string[];
  /** Takes the place of a parameter, adds one, or takes one away where undefined. */
  readonly parameters?: Readonly<Record<string, string | number | undefined>>;
  readonly more?: readonly (readonly [string, string])[];
}

let nonces = 0;

/** A signed request as a client would send it, with whatever a test wants to have wrong with it. */
export function signSample(sample: SignSample): SignedRequest {
  const { method = 'POST', url = 'https://api.example/orders?x=1', body, more = [] } = sample;
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const algorithm = digestAlgorithms['sha-256'];
  const digest =
    bytes === undefined
      ? []
      : ([
          ['content-digest', formatContentDigest({ algorithm, bytes: hash('sha256', bytes, 'buffer') })],
        ] as const);
  const { components, componentsWithContent } = signedRequestProfile;
  const usual = bytes === undefined ? components : [...components, ...componentsWithContent];
  nonces += 1;
  const parameters: Record<string, string | number | undefined> = {
    created: sample.created,
    expires: sample.expires ?? sample.created + 30,
    nonce: sample.nonce ?? `nonce-of-a-test-${nonces}`,
    keyid: sample.keyId,
    tag: signedRequestProfile.tag,
    ...sample.parameters,
  };
  const input: SignatureInput = {
    components: (sample.components ?? usual).map((name) => component(name)),
    parameters: new Map(
      Object.entries(parameters).filter(
        (entry): entry is [string, string | number] => entry[1] !== undefined,
      ),
    ),
  };
  const pairs = [...digest, ...more];
  const base = buildSignatureBase({ method, url, fields: fieldsOfPairs(pairs) }, input);
  const signed = formatSignature('sig', input, signBytes(sample.algorithm, sample.key, Buffer.from(base)));
  return {
    method,
    url,
    fields: fieldsOfPairs([...pairs, ...Object.entries(signed)]),
    content: bytes === undefined ? { kind: 'none' } : { kind: 'bytes', bytes },
  };
}

import { createSecretKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import { type AlgorithmName, algorithms, signedRequestProfile } from '@keyswarm/core';
import {
  buildSignatureBase,
  component,
  digestAlgorithms,
  fieldsOfPairs,
  formatContentDigest,
  formatSignature,
} from '@keyswarm/http-signatures';
import { deriveMacKey, signBytes } from '@keyswarm/verifier/signatures';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';

export interface TestSigner {
  readonly keyId: string;
  readonly algorithm: AlgorithmName;
  readonly key: KeyObject;
}

export function macSigner(keyId: string, secret: string): TestSigner {
  return { keyId, algorithm: 'hmac-sha256', key: createSecretKey(deriveMacKey(secret)) };
}

/** A pair, and what is given at issue for it. */
export function newPair() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const signerFor = (keyId: string): TestSigner => ({ keyId, algorithm: 'ed25519', key: privateKey });
  return {
    proof: { type: 'ed25519', public_key: x },
    signerFor,
    jwk: publicKey.export({ format: 'jwk' }),
    privateKey,
  };
}

export const digestOf = (body: string) => {
  const algorithm = digestAlgorithms['sha-256'];
  return formatContentDigest({ algorithm, bytes: hash('sha256', body, 'buffer') });
};

/** The fields by which a request is signed. */
export function signatureOf(
  signer: TestSigner,
  request: { readonly method: string; readonly url: string; readonly body?: string },
): Record<string, string> {
  const { method, url, body } = request;
  const digest = body === undefined ? {} : { 'content-digest': digestOf(body) };
  const { components, componentsWithContent, tag } = signedRequestProfile;
  const covered = body === undefined ? components : [...components, ...componentsWithContent];
  const created = Math.floor(systemClock.nowMs() / 1000);
  const input = {
    components: covered.map((name) => component(name)),
    parameters: new Map<string, string | number>([
      ['created', created],
      ['expires', created + 30],
      ['nonce', Buffer.from(systemRandom.bytes(16)).toString('base64url')],
      ['keyid', signer.keyId],
      ['tag', tag],
    ]),
  };
  const base = buildSignatureBase({ method, url, fields: fieldsOfPairs(Object.entries(digest)) }, input);
  const signature = signBytes(algorithms[signer.algorithm], signer.key, Buffer.from(base));
  return { ...digest, ...formatSignature('sig', input, signature) };
}

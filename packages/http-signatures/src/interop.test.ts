import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { createSignature, verifySignature } from 'http-message-sig';
import { httpbis } from 'http-message-signatures';
import { describe, expect, it } from 'vitest';
import { component } from './component.ts';
import { fieldsOfPairs, type RequestMessage } from './message.ts';
import { isRefused, readSignature, type SignatureProfile } from './read-signature.ts';
import { buildSignatureBase, type SignatureInput } from './signature-base.ts';
import { formatSignature } from './signature-fields.ts';

/* Two libraries that share no code with this one but the parser of structured fields: each signs what we read, and reads
 * what we sign. */

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const profile: SignatureProfile = {
  tag: 'keyswarm',
  components: ['@method', '@target-uri'],
  componentsWithContent: ['content-digest'],
  lifetimeSecondsMax: 60,
  nonceLengthMin: 16,
  nonceLengthMax: 64,
  keyIdLengthMax: 64,
};
const url = 'https://api.example/orders?b=%20x&a=1';
const digest = 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:';
const covered = ['@method', '@target-uri', 'content-digest'];
const created = Math.floor(Date.now() / 1000);
const expires = created + 60;
const nonce = 'b3k2pp5k7z-50gnwp';

function request(more: readonly (readonly [string, string])[]): RequestMessage {
  return { method: 'POST', url, fields: fieldsOfPairs([['Content-Digest', digest], ...more]) };
}

function isGood(message: RequestMessage): boolean {
  const read = readSignature(message, profile, true);
  if (isRefused(read)) throw new Error(`${read.reason}: ${read.detail}`);
  expect(read).toMatchObject({ keyId: 'key-1', nonce, created, expires, coversDigest: true });
  return verify(
    null,
    Buffer.from(read.base),
    createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })),
    read.signature,
  );
}

function ours() {
  const input: SignatureInput = {
    components: covered.map((name) => component(name)),
    parameters: new Map<string, string | number>([
      ['created', created],
      ['expires', expires],
      ['nonce', nonce],
      ['keyid', 'key-1'],
      ['tag', 'keyswarm'],
    ]),
  };
  const base = buildSignatureBase(request([]), input);
  return formatSignature('keyswarm', input, sign(null, Buffer.from(base), privateKey));
}

describe('http-message-signatures', () => {
  it('signs what we verify', async () => {
    const signer = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    const signed = await httpbis.signMessage(
      {
        key: { id: 'key-1', sign: async (data) => sign(null, data, signer) },
        name: 'keyswarm',
        fields: covered,
        params: ['created', 'expires', 'nonce', 'keyid', 'tag'],
        paramValues: {
          created: new Date(created * 1000),
          expires: new Date(expires * 1000),
          nonce,
          tag: 'keyswarm',
        },
      },
      { method: 'POST', url, headers: { 'Content-Digest': digest } },
    );
    const pairs = Object.entries(signed.headers).map(([name, value]) => [name, String(value)] as const);
    expect(isGood(request(pairs.filter(([name]) => name.startsWith('Signature'))))).toBe(true);
  });

  it('verifies what we sign', async () => {
    const headers = { 'content-digest': digest, ...ours() };
    const verified = (target: string) =>
      httpbis.verifyMessage(
        {
          keyLookup: async () => ({
            id: 'key-1',
            algs: ['ed25519'],
            verify: async (data, signature) => verify(null, data, publicKey, signature),
          }),
          requiredFields: covered,
          requiredParams: ['created', 'expires', 'nonce', 'keyid', 'tag'],
        },
        { method: 'POST', url: target, headers },
      );
    expect(await verified(url)).toBe(true);
    expect(await verified(`${url}2`)).toBe(false);
  });
});

describe('http-message-sig', () => {
  const fields = [{ name: 'content-digest', value: digest }];

  it('signs what we verify', async () => {
    const signed = await createSignature(
      { kind: 'request', method: 'POST', targetUri: url, fields },
      {
        label: 'keyswarm',
        components: covered,
        parameters: { created, expires, nonce, keyid: 'key-1', tag: 'keyswarm' },
        signer: { algorithm: 'ed25519', sign: (data) => sign(null, data, privateKey) },
      },
    );
    const pairs = [
      ['Signature-Input', signed.signatureInput],
      ['Signature', signed.signature],
    ] as const;
    expect(isGood(request(pairs))).toBe(true);
  });

  it('verifies what we sign', async () => {
    const signed = Object.entries(ours()).map(([name, value]) => ({ name, value }));
    const verified = (method: string) =>
      verifySignature(
        { kind: 'request', method, targetUri: url, fields: [...fields, ...signed] },
        {
          policy: {
            algorithms: ['ed25519'],
            requiredComponents: covered,
            requiredParameters: ['nonce', 'expires'],
          },
          resolveVerifier: () => ({
            algorithm: 'ed25519',
            verify: (data, signature) => verify(null, data, publicKey, signature),
          }),
        },
      );
    expect(await verified('POST')).toMatchObject({ label: 'keyswarm', algorithm: 'ed25519' });
    await expect(verified('PUT')).rejects.toThrow();
  });
});

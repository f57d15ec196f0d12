import { createSecretKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { type Algorithm, type AlgorithmName, algorithmNames, algorithms } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { bytesOfBase64url, jwkOf, publicKeyBytes, publicKeyOf, rawOfJwk } from './public-key.ts';
import { isKeyOf, signBytes, verifyBytes } from './sign-bytes.ts';

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const secret = createSecretKey(Buffer.alloc(32, 7));
const pairs: Record<AlgorithmName, Pair> = {
  ed25519: generateKeyPairSync('ed25519'),
  'ecdsa-p256-sha256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'hmac-sha256': { privateKey: secret, publicKey: secret },
};
const data = Buffer.from('what is signed');

describe.each(algorithmNames.map((name) => algorithms[name]))('$name', (algorithm: Algorithm) => {
  const { privateKey, publicKey } = pairs[algorithm.name];

  it('verifies what it signed, of the length that the table says, and nothing else', () => {
    const signature = signBytes(algorithm, privateKey, data);
    expect(signature.length).toBe(algorithm.signatureBytes);
    expect(verifyBytes(algorithm, publicKey, data, signature)).toBe(true);
    expect(verifyBytes(algorithm, publicKey, Buffer.from('another'), signature)).toBe(false);
    for (let at = 0; at < signature.length; at += 1) {
      const changed = Uint8Array.from(signature, (byte, index) => (index === at ? byte ^ 1 : byte));
      expect(verifyBytes(algorithm, publicKey, data, changed)).toBe(false);
    }
    for (const other of [signature.subarray(1), Buffer.concat([signature, Buffer.of(0)]), new Uint8Array()])
      expect(verifyBytes(algorithm, publicKey, data, other)).toBe(false);
  });

  it('takes no key of another algorithm, and so no public key as a secret', () => {
    for (const name of algorithmNames.filter((other) => other !== algorithm.name)) {
      expect(isKeyOf(algorithm, pairs[name].publicKey)).toBe(false);
      const signature = signBytes(algorithms[name], pairs[name].privateKey, data);
      expect(verifyBytes(algorithm, pairs[name].publicKey, data, signature)).toBe(false);
    }
    expect(isKeyOf(algorithm, generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)).toBe(false);
    expect(isKeyOf(algorithm, generateKeyPairSync('x25519').publicKey)).toBe(false);
  });

  it('is the same algorithm in Web Crypto', async () => {
    const { importKey, sign } = algorithm.webCrypto;
    const { subtle } = webcrypto;
    const key =
      algorithm.kind === 'mac'
        ? await subtle.importKey('raw', Buffer.alloc(32, 7), importKey, false, ['sign', 'verify'])
        : await subtle.importKey('jwk', privateKey.export({ format: 'jwk' }), importKey, false, ['sign']);
    const signature = new Uint8Array(await subtle.sign(sign, key, data));
    expect(verifyBytes(algorithm, publicKey, data, signature)).toBe(true);
  });
});

describe.each([algorithms.ed25519, algorithms['ecdsa-p256-sha256']])('a public key of $name', (algorithm) => {
  const jwk = pairs[algorithm.name].publicKey.export({ format: 'jwk' });
  const raw = rawOfJwk(algorithm, jwk) ?? new Uint8Array();

  it('is the same as a JWK, as bytes and as a key', () => {
    expect(raw.length).toBe(publicKeyBytes(algorithm));
    expect(jwkOf(algorithm, raw)).toEqual(jwk);
    expect(publicKeyOf(algorithm, raw)?.equals(pairs[algorithm.name].publicKey)).toBe(true);
  });

  it('is not read from a private one, from another type, or from members of another length', () => {
    const given: readonly Record<string, unknown>[] = [
      pairs[algorithm.name].privateKey.export({ format: 'jwk' }),
      { ...jwk, kty: 'oct' },
      { ...jwk, crv: 'X25519' },
      { ...jwk, x: `${jwk.x}AA` },
      { ...jwk, x: 7 },
      { ...jwk, x: `${jwk.x?.slice(0, -1)}=` },
      {},
    ];
    for (const other of given) expect(rawOfJwk(algorithm, other)).toBeUndefined();
    expect(publicKeyOf(algorithm, raw.subarray(1))).toBeUndefined();
  });
});

describe('a public key for which anybody can sign', () => {
  it.each([
    '01'.padEnd(64, '0'),
    '00'.padEnd(64, '0'),
    `${'00'.repeat(31)}80`,
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    `ec${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(31)}`,
  ])('is refused: %s', (hex) => {
    expect(publicKeyOf(algorithms.ed25519, Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  it('is refused for P-256 where it is no point of the curve', () => {
    expect(publicKeyOf(algorithms['ecdsa-p256-sha256'], Buffer.alloc(64, 1))).toBeUndefined();
  });
});

describe('base64url', () => {
  it('has one spelling for the same bytes', () => {
    expect(bytesOfBase64url('AA', 1)).toEqual(Buffer.of(0));
    for (const other of ['AB', 'A', 'AA==', 'A+', '', undefined, 'AAA'])
      expect(bytesOfBase64url(other, 1)).toBeUndefined();
  });
});

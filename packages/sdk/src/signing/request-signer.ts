import { type Algorithm, algorithms, Secret } from '@keyswarm/core';

/*
 * What a request is signed with. The private key and the derived secret live in a `CryptoKey` that can't be exported:
 * nothing that logs, inspects or serialises a signer can show them.
 */

/** A key of Web Crypto, by whatever name the platform's types have it. */
export type PlatformKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** A private Ed25519 key as a JWK (RFC 8037). */
export interface PrivateJwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly d: string;
}

export interface RequestSigner {
  /** Which key and which version: `key_….1`, as the reply to its issue or rotation says. */
  readonly keyId: string;
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/**
 * Signs with an Ed25519 private key whose public key was given at issue: a `CryptoKey` or a JWK. Verifiers hold nothing
 * that can sign; this is the way to prefer.
 */
export async function ed25519Signer(
  keyId: string,
  privateKey: PlatformKey | PrivateJwk,
): Promise<RequestSigner> {
  const algorithm = algorithms.ed25519;
  const key = isCryptoKey(privateKey)
    ? privateKey
    : await crypto.subtle.importKey('jwk', privateKey, algorithm.webCrypto.importKey, false, ['sign']);
  if (key.algorithm.name !== algorithm.webCrypto.importKey.name || !key.usages.includes('sign'))
    throw new TypeError('privateKey must be an Ed25519 key that may sign');
  return signerOf(keyId, algorithm, key);
}

/**
 * Signs with the secret that is derived from a key string (HKDF, RFC 5869), so that the key string itself never leaves
 * this process. Whoever verifies such a signature could make one.
 */
export async function macSigner(keyId: string, keyString: string | Secret): Promise<RequestSigner> {
  const secret = keyString instanceof Secret ? keyString.reveal() : keyString;
  const { subtle } = crypto;
  const source = await subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey']);
  const { importKey } = algorithms['hmac-sha256'].webCrypto;
  const key = await subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(macKeyInfo) },
    source,
    { ...importKey, length: macKeyBits },
    false,
    ['sign'],
  );
  return signerOf(keyId, algorithms['hmac-sha256'], key);
}

export interface NewSigningKey {
  /** For `proof.public_key` of the issue: 32 bytes in base64url. */
  readonly publicKey: string;
  readonly privateKey: PlatformKey;
}

/** A new pair. `extractable` only where the private key has to be stored by the caller. */
export async function generateSigningKey(extractable = false): Promise<NewSigningKey> {
  const { importKey } = algorithms.ed25519.webCrypto;
  const pair = await crypto.subtle.generateKey(importKey, extractable, ['sign', 'verify']);
  if (!('publicKey' in pair)) throw new TypeError('this platform makes no Ed25519 keys');
  const { x } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  if (x === undefined) throw new TypeError('this platform exports no Ed25519 keys');
  return { publicKey: x, privateKey: pair.privateKey };
}

const encoder = new TextEncoder();
const macKeyInfo = 'keyswarm/request-mac/1';
const macKeyBits = 256;
const keyIdShape = /^key_[0-9a-z]{1,40}\.[1-9]\d{0,8}$/;

export function isSigningKeyId(text: string): boolean {
  return keyIdShape.test(text);
}

function signerOf(keyId: string, { webCrypto }: Algorithm, key: PlatformKey): RequestSigner {
  if (!isSigningKeyId(keyId))
    throw new TypeError('keyId must be the id of a key, a point and a version: key_….1');
  return Object.freeze({
    keyId,
    sign: async (data: Uint8Array) =>
      new Uint8Array(await crypto.subtle.sign(webCrypto.sign, key, Uint8Array.from(data))),
  });
}

function isCryptoKey(key: PlatformKey | PrivateJwk): key is PlatformKey {
  return key instanceof CryptoKey;
}

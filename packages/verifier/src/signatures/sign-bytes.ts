import { createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto';
import { type Algorithm, assert } from '@keyswarm/core';

/*
 * How an entry of the table of algorithms signs and verifies with `node:crypto`. There is one way for signatures and one
 * for MACs; all that differs between two algorithms of a kind stands in their entries.
 */

/** True only for a signature of exactly this algorithm by exactly this kind of key. Never throws for what a peer sent. */
export function verifyBytes(
  algorithm: Algorithm,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  // A key of another type is how a public key comes to be used as the secret of a MAC.
  if (!isKeyOf(algorithm, key) || signature.length !== algorithm.signatureBytes) return false;
  if (algorithm.kind === 'mac') return timingSafeEqual(macOf(algorithm, key, data), signature);
  return verify(algorithm.node.hash, data, keyInputOf(algorithm, key), signature);
}

/**
 * The same for one key that verifies often: what it is is looked at once and not at every signature, which costs 10 µs of the
 * 90 that one of P-256 takes. Undefined: it is no key of the algorithm.
 */
export function signatureCheck(
  algorithm: Algorithm,
  key: KeyObject,
): ((data: Uint8Array, signature: Uint8Array) => boolean) | undefined {
  if (algorithm.kind === 'mac' || !isKeyOf(algorithm, key)) return undefined;
  const { node, signatureBytes } = algorithm;
  const input = keyInputOf(algorithm, key);
  return (data, signature) =>
    signature.length === signatureBytes && verify(node.hash, data, input, signature);
}

export function signBytes(algorithm: Algorithm, key: KeyObject, data: Uint8Array): Uint8Array {
  assert(isKeyOf(algorithm, key), 'the key is one of the algorithm');
  if (algorithm.kind === 'mac') return macOf(algorithm, key, data);
  return sign(algorithm.node.hash, data, keyInputOf(algorithm, key));
}

/** Is this key, public, private or secret, of the type and the curve of the algorithm? */
export function isKeyOf({ node }: Algorithm, key: KeyObject): boolean {
  if (key.type === 'secret') return node.keyType === 'secret';
  if (key.asymmetricKeyType !== node.keyType) return false;
  return (key.asymmetricKeyDetails?.namedCurve ?? null) === node.namedCurve;
}

function macOf({ node }: Algorithm, key: KeyObject, data: Uint8Array): Uint8Array {
  assert(node.hash !== null, 'a MAC has a hash');
  return createHmac(node.hash, key).update(data).digest();
}

function keyInputOf({ node }: Algorithm, key: KeyObject) {
  return node.dsaEncoding === null ? key : { key, dsaEncoding: node.dsaEncoding };
}

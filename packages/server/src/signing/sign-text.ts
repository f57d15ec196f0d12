import { createPrivateKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { algorithms, assert, type SigningAlgorithm } from '@keyswarm/core';
import { isKeyOf, rawOfJwk } from '@keyswarm/verifier/signatures';
import { signaturesInFlightMax } from '../limits.ts';

/*
 * Signing on Node's own threads. A signature of Ed25519 takes some 30 µs and one of P-256 as much: made where requests are
 * answered, a bulk of a thousand would hold every verification up for 30 ms. Only so many are handed over at once that
 * files and names, which use the same threads, find one free.
 *
 * Rejected: worker threads of our own. They would have to be given the private keys, and a message there and back costs as
 * much as the signature does.
 */

export interface NewKeyPair {
  readonly privateKey: KeyObject;
  /** Raw, as the record keeps it. */
  readonly publicKey: Uint8Array;
  /** PKCS #8, DER: to be sealed. */
  readonly bytes: Uint8Array;
}

const generate = promisify(generateKeyPair);

export async function newKeyPair(algorithm: SigningAlgorithm): Promise<NewKeyPair> {
  const { node } = algorithms[algorithm];
  const pair =
    node.namedCurve === null
      ? await generate('ed25519')
      : await generate('ec', { namedCurve: node.namedCurve });
  const publicKey = rawOfJwk(algorithms[algorithm], pair.publicKey.export({ format: 'jwk' }));
  assert(publicKey !== undefined, 'a new public key is one of its algorithm');
  const bytes = pair.privateKey.export({ type: 'pkcs8', format: 'der' });
  return { privateKey: pair.privateKey, publicKey, bytes };
}

/** A private key as it was sealed. */
export function privateKeyOf(algorithm: SigningAlgorithm, bytes: Uint8Array): KeyObject {
  const key = createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' });
  assert(isKeyOf(algorithms[algorithm], key), 'a private key is one of its algorithm');
  return key;
}

export class SignPool {
  #inFlight = 0;
  readonly #waiting: (() => void)[] = [];

  /** base64url of the signature over the bytes of a text. */
  async sign(algorithm: SigningAlgorithm, key: KeyObject, text: string): Promise<string> {
    if (this.#inFlight >= signaturesInFlightMax) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#inFlight += 1;
    try {
      return (await signOnThread(algorithm, key, text)).toString('base64url');
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inFlight -= 1;
      else next();
    }
  }
}

function signOnThread(algorithm: SigningAlgorithm, key: KeyObject, text: string): Promise<Buffer> {
  const { node } = algorithms[algorithm];
  const input = node.dsaEncoding === null ? key : { key, dsaEncoding: node.dsaEncoding };
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  sign(node.hash, Buffer.from(text), input, (error, signature) => {
    if (error === null) resolve(signature);
    else reject(error);
  });
  return promise;
}

import type { ProofBody } from '@keyswarm/contract';
import { algorithms, Fault } from '@keyswarm/core';
import { bytesOfBase64url, publicKeyBytes, publicKeyOf, rawOfJwk } from '@keyswarm/verifier/signatures';
import type { ProofWish } from './mint-version.ts';

/** What a caller gives as the proof of a new version. Throws the Fault that names what is wrong with it. */
export function readProofWish(body: ProofBody | undefined): ProofWish | undefined {
  if (body === undefined) return undefined;
  const algorithm = algorithms[body.type];
  const { public_key: text, jwk } = body;
  if (algorithm.kind === 'mac') {
    if (text !== undefined || jwk !== undefined)
      throw bad(
        text === undefined ? '/proof/jwk' : '/proof/public_key',
        'nothing: the secret is derived from the key string',
      );
    return { kind: 'mac', algorithm: algorithm.name };
  }
  if ((text === undefined) === (jwk === undefined)) throw bad('/proof', 'either public_key or jwk');
  const field = text === undefined ? '/proof/jwk' : '/proof/public_key';
  const raw =
    text === undefined ? rawOfJwk(algorithm, jwk ?? {}) : bytesOfBase64url(text, publicKeyBytes(algorithm));
  if (raw === undefined || publicKeyOf(algorithm, raw) === undefined)
    throw bad(
      field,
      `the public key of a pair of ${algorithm.name}: ${publicKeyBytes(algorithm)} bytes in base64url, or its JWK`,
    );
  return {
    kind: 'public key',
    algorithm: algorithm.name,
    material: Buffer.from(raw).toString('base64url'),
  };
}

/** The value is not repeated: who mistakes a private key for a public one should not find it in a log. */
function bad(field: string, expected: string): Fault {
  return new Fault('invalid_field', { detail: 'The proof is not accepted.', field, expected });
}

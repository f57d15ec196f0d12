import { algorithmNames, proofRules } from '@keyswarm/core';
import Type, { type Static } from 'typebox';
import { jwkMemberLengthMax, jwkMembersMax, publicKeyTextMax } from '../wire-limits.ts';
import { strictObject } from './fields.ts';

/* What a key signs requests with, and whether a keyspace wants that. */

const proofType = Type.Enum([...algorithmNames], {
  type: 'string',
  description:
    'By the names of RFC 9421. `ed25519` is the one to prefer: verifiers hold nothing that can sign. `hmac-sha256` signs with a secret derived from the key string.',
});
const publicKeyField = Type.String({
  minLength: 1,
  maxLength: publicKeyTextMax,
  pattern: '^[A-Za-z0-9_-]*$',
  'x-expected': 'base64url without padding',
  description: 'The public key: 32 bytes (Ed25519), or x and y of 32 bytes each (P-256), in base64url.',
});

export const proofField = strictObject(
  {
    type: proofType,
    public_key: Type.Optional(publicKeyField),
    jwk: Type.Optional(
      Type.Unsafe<Readonly<Record<string, string>>>({
        type: 'object',
        maxProperties: jwkMembersMax,
        additionalProperties: {
          type: 'string',
          maxLength: jwkMemberLengthMax,
          pattern: '^[ -~]*$',
          'x-expected': 'text in ASCII',
        },
        'x-expected': 'a public JWK, such as {"kty": "OKP", "crv": "Ed25519", "x": "…"}',
        description: 'The public key as a JWK (RFC 7517), in place of `public_key`. Never a private one.',
      }),
    ),
  },
  {
    title: 'Proof',
    description:
      'What the version signs requests with (RFC 9421). With a public key there is no key string, and no `secret` in the reply.',
  },
);

/** As a key shows it. */
export const proofReply = strictObject(
  { type: proofType, public_key: Type.Optional(publicKeyField) },
  { title: 'VersionProof' },
);

export const proofRuleField = Type.Enum([...proofRules], {
  type: 'string',
  description:
    '`signature`: requests have to be signed, and a bare bearer is refused by every verifier with `signature_required`. `bearer` unless given.',
});

export type ProofBody = Static<typeof proofField>;
export type ProofReply = Static<typeof proofReply>;

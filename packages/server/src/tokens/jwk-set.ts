import { hash } from 'node:crypto';
import { algorithms, type SigningKeyFact } from '@keyswarm/core';
import { jwkOf } from '@keyswarm/verifier/signatures';

/** RFC 7517, ready to be sent. */
export interface JwkSet {
  readonly text: string;
  readonly etag: string;
  /** Of what it was made, to tell whether it has changed. */
  readonly of: string;
}

/** Every key by which a token may be verified: also those to come, and those that sign no more. Nothing private is in a fact. */
export function jwkSetOf(facts: Iterable<SigningKeyFact>, known: JwkSet | undefined): JwkSet {
  const all = [...facts].sort((a, b) => (a.id < b.id ? -1 : 1));
  const of = all.map(({ id }) => id).join();
  if (known?.of === of) return known;
  const keys = all.map((fact) => {
    const algorithm = algorithms[fact.algorithm];
    return { ...jwkOf(algorithm, fact.publicKey), kid: fact.id, use: 'sig', alg: algorithm.jose };
  });
  const text = JSON.stringify({ keys });
  return { text, etag: `"${hash('sha256', text, 'base64url').slice(0, 22)}"`, of };
}

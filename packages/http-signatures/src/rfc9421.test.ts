import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readContentDigest } from './content-digest.ts';
import { buildSignatureBase } from './signature-base.ts';
import { readSignatures } from './signature-fields.ts';
import { brokenMessages, content, vectors } from './testing/rfc9421-vectors.ts';

describe('the vectors of RFC 9421, Appendix B', () => {
  it.each(vectors)(
    '$name: the base is the one of the RFC and its signature verifies',
    ({ message, base, check }) => {
      const [presented] = readSignatures(message.fields);
      if (presented === undefined) throw new Error('no signature');
      expect(buildSignatureBase(message, presented)).toBe(base);
      expect(check(base, presented.signature)).toBe(true);
      expect(check(`${base} `, presented.signature)).toBe(false);
    },
  );

  it.each(brokenMessages)('B.4: a message that was changed in what is covered does not verify', (message) => {
    const [presented] = readSignatures(message.fields);
    const check = vectors.at(-1)?.check;
    if (presented === undefined || check === undefined) throw new Error('no signature');
    expect(check(buildSignatureBase(message, presented), presented.signature)).toBe(false);
  });

  it('have digests of their content, as RFC 9530 has them', () => {
    const [vector] = vectors;
    if (vector === undefined) throw new Error('no vector');
    const [digest] = readContentDigest(vector.message.fields);
    expect(digest?.algorithm.name).toBe('sha-512');
    expect(Buffer.from(digest?.bytes ?? [])).toEqual(hash('sha512', content, 'buffer'));
  });
});

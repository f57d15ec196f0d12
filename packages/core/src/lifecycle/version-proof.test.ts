import { describe, expect, it } from 'vitest';
import { decodeKeyFact } from '../facts/decode-facts.ts';
import { encodeKeyFact } from '../facts/encode-facts.ts';
import { keyFactOf } from '../facts/make-facts.ts';
import { faultOf } from './fault-of.arbitrary.ts';
import { decodeKeyTraits, encodeKeyTraits } from './key-traits.ts';
import { issued, keyspaceWith, rotated, t0 } from './records.arbitrary.ts';
import { decodeProofs, type NewProof } from './version-proof.ts';

const publicKey = (letter: string): NewProof => ({ algorithm: 'ed25519', material: letter.repeat(43) });

describe('what a version signs with', () => {
  it('comes with its version, goes with it, and is in the fact', () => {
    const first = issued({ proof: publicKey('A') });
    expect(first.traits.proofs).toEqual([{ version: 1, ...publicKey('A') }]);
    const second = rotated(first, t0 + 1, { proof: publicKey('B') });
    const third = rotated(second, t0 + 2, { cut: true });
    expect(third.traits.proofs?.map(({ version }) => version)).toEqual([1, 2]);
    const fourth = rotated(third, t0 + 3, { cut: true, proof: publicKey('D') });
    expect(fourth.traits.proofs?.map(({ version }) => version)).toEqual([2, 4]);
    const fact = keyFactOf(fourth);
    expect(fact.traits?.proofs).toEqual(fourth.traits.proofs);
    expect(decodeKeyFact(encodeKeyFact(fact))).toEqual(fact);
    expect(decodeKeyTraits(encodeKeyTraits(fourth.traits))).toEqual(fourth.traits);
  });

  it('leaves no trace in a key that has none', () => {
    expect(issued()).not.toHaveProperty('traits.proofs');
    expect(keyFactOf(rotated(issued(), t0 + 1))).not.toHaveProperty('traits');
  });

  it('is wanted for every version of a keyspace that wants requests signed', () => {
    const keyspace = keyspaceWith({ proof: 'signature' });
    expect(faultOf(() => issued({ keyspace }))).toBe('missing_field /proof');
    expect(issued({ keyspace, proof: publicKey('A') }).versions.length).toBe(1);
  });

  it.each([
    [[]],
    ['x'],
    [[{ version: 0, ...publicKey('A') }]],
    [[{ version: 1, ...publicKey('A'), more: 1 }]],
    [[{ version: 1, algorithm: 'none', material: 'A'.repeat(43) }]],
    [[{ version: 1, algorithm: 'toString', material: '' }]],
    [[{ version: 1, algorithm: 'ed25519', material: 'A'.repeat(42) }]],
    [[{ version: 1, algorithm: 'ed25519', material: '+'.repeat(43) }]],
    [[{ version: 1, algorithm: 'hmac-sha256', material: 'A'.repeat(43) }]],
    [
      [
        { version: 2, ...publicKey('A') },
        { version: 2, ...publicKey('A') },
      ],
    ],
    [[1, 2, 3, 4].map((version) => ({ version, ...publicKey('A') }))],
    [[null]],
  ])('is read from nothing but what we write: %j', (json) => {
    expect(decodeProofs(json)).toBeUndefined();
  });
});

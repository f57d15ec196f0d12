import { expect, it } from 'vitest';
import { keyFactOf } from '../facts/make-facts.ts';
import { decodeKeyTraits, encodeKeyTraits, type KeyTraits, noTraits } from './key-traits.ts';
import { issued, keyId, t0 } from './records.arbitrary.ts';

const all: KeyTraits = {
  renewAfterMs: t0,
  campaign: 'camp_1',
  parentId: keyId,
  enrollment: { uses_left: 3 },
  issuedBy: keyId,
  handedTo: [{ number: 2, keyId }],
};

it('traits come back from the store as they went in, and none take nothing', () => {
  expect(decodeKeyTraits(encodeKeyTraits(all))).toEqual(all);
  expect(encodeKeyTraits(noTraits)).toBeNull();
  expect(decodeKeyTraits(null)).toBe(noTraits);
});

it('a verifier is told what it needs of them and no more', () => {
  expect(keyFactOf(issued({ traits: all })).traits).toEqual({
    renewAfterMs: t0,
    parentId: keyId,
    enrollment: true,
  });
  expect(keyFactOf(issued())).not.toHaveProperty('traits');
  expect(keyFactOf(issued({ traits: { campaign: 'camp_1' } }))).not.toHaveProperty('traits');
});

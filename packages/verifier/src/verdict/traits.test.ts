import type { KeyFact } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import {
  hourMs,
  keyFact,
  keyId,
  keyString,
  ownerFact,
  readyVerifier,
  startMs,
} from '../testing/sample-facts.arbitrary.ts';

const parent = (change: Partial<KeyFact> = {}) =>
  keyFact(1, { traits: { enrollment: true }, ownerId: ownerFact(2).id, ...change });
const child = keyFact(2, { traits: { parentId: keyId(1) } });

function verifierWith(...facts: readonly KeyFact[]) {
  const { verifier } = readyVerifier();
  verifier.applyOwner(ownerFact(2));
  for (const fact of facts) verifier.applyKey(fact);
  return { verifier, code: (key: number) => verifier.verify(keyString(key), {}).code };
}

describe('a key with traits', () => {
  it('says from when on its holder is asked to renew it', () => {
    const { verifier } = verifierWith(keyFact(1, { traits: { renewAfterMs: startMs + hourMs } }));
    expect(verifier.verify(keyString(1), {})).toMatchObject({ valid: true, renewAfterMs: startMs + hourMs });
  });

  it('loses them with the fact that no longer names them', () => {
    const { verifier } = verifierWith(keyFact(1, { traits: { renewAfterMs: startMs } }));
    verifier.applyKey(keyFact(1, { revision: 2 }));
    expect(verifier.verify(keyString(1), {})).toMatchObject({ valid: true, renewAfterMs: null });
  });

  it('that is for enrollment is never valid', () => {
    expect(verifierWith(parent()).code(1)).toBe('insufficient_scope');
  });
});

describe('a key that hangs on another', () => {
  it('is valid as long as that one is neither ended nor suspended, also when it has expired', () => {
    expect(verifierWith(parent(), child).code(2)).toBe('valid');
    expect(verifierWith(parent({ expiresAtMs: startMs - 1 }), child).code(2)).toBe('valid');
  });

  it('is refused by one change of that one, and comes back when it is resumed', () => {
    const { verifier, code } = verifierWith(parent(), child);
    verifier.applyKey(parent({ revision: 2, state: 'suspended' }));
    expect(code(2)).toBe('suspended');
    verifier.applyKey(parent({ revision: 3 }));
    expect(code(2)).toBe('valid');
    verifier.applyKey(parent({ revision: 4, state: 'revoked' }));
    expect(code(2)).toBe('revoked');
  });

  it('is refused with all keys of the owner of that one', () => {
    const { verifier, code } = verifierWith(parent(), child);
    verifier.applyOwner(ownerFact(2, { revision: 2, state: 'suspended' }));
    expect(code(2)).toBe('suspended');
    verifier.applyOwner(ownerFact(2, { revision: 3, keysNotBeforeMs: startMs }));
    expect(code(2)).toBe('revoked');
  });

  it('is refused where that one is not known', () => {
    expect(verifierWith(child).code(2)).toBe('revoked');
  });
});

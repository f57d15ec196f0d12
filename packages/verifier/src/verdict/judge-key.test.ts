import { createHash } from 'node:crypto';
import { idFromUuidBytes, type KeyFact, keyLengthMax, type RefusalCode } from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import {
  hourMs,
  keyFact,
  keyId,
  keyRow,
  keyString,
  keyspaceFact,
  keyspaceId,
  ownerFact,
  ownerId,
  readyVerifier,
  startMs,
  versionFact,
  workspaceId,
} from '../testing/sample-facts.arbitrary.ts';
import type { Requirement } from '../verifier-port.ts';
import { fingerprintOf } from './fingerprint.ts';
import { keyIdOfWords } from './key-id-text.ts';

const required: Requirement = {
  workspaceId: workspaceId(1),
  keyspace: 'orders-1',
  scopes: ['orders:read'],
};

function verifierWith(fact: KeyFact) {
  const { clock, verifier } = readyVerifier();
  verifier.applyKey(fact);
  return { clock, verifier, verify: (wanted = required) => verifier.verify(keyString(1), wanted) };
}

describe('a valid key', () => {
  it('gets a verdict that says what it may do, for whom and until when', () => {
    const { verify } = verifierWith(keyFact(1));
    expect(verify()).toEqual({
      valid: true,
      code: 'valid',
      keyId: keyId(1),
      version: 1,
      owner: { id: ownerId(1), kind: 'service', externalId: 'service-1' },
      workspaceId: workspaceId(1),
      keyspaceId: keyspaceId(1),
      keyspace: 'orders-1',
      scopes: ['orders:*'],
      expiresAtMs: startMs + 24 * hourMs,
      rotation: null,
      renewAfterMs: null,
    });
  });

  it('is accepted by name or by id of its keyspace, and where nothing is asked', () => {
    const { verify } = verifierWith(keyFact(1, { expiresAtMs: null }));
    expect(verify({ keyspace: keyspaceId(1) })).toMatchObject({ valid: true, expiresAtMs: null });
    expect(verify({})).toMatchObject({ valid: true });
    expect(verify({ scopes: [] })).toMatchObject({ valid: true });
  });

  it('is answered for by no keyspace that is only named like its id', () => {
    const { verifier, verify } = verifierWith(keyFact(1));
    verifier.applyKeyspace(keyspaceFact(1, { revision: 2, name: keyspaceId(2) }));
    expect(verify({ keyspace: keyspaceId(2) })).toEqual({ valid: false, code: 'wrong_keyspace' });
    expect(verify({ keyspace: keyspaceId(1) })).toMatchObject({ valid: true });
  });
});

/** Each refusal that a bearer key can meet, and one situation that causes it. */
const refusals: Partial<Record<RefusalCode, readonly [KeyFact, Requirement?]>> = {
  unknown: [keyFact(2)],
  wrong_keyspace: [keyFact(1), { ...required, keyspace: 'orders-2' }],
  revoked: [keyFact(1, { state: 'revoked' })],
  expired: [keyFact(1, { expiresAtMs: startMs })],
  suspended: [keyFact(1, { state: 'suspended' })],
  not_yet_valid: [keyFact(1, { notBeforeMs: startMs + 1 })],
  insufficient_scope: [keyFact(1), { ...required, scopes: ['orders:read', 'billing:read'] }],
};

describe('a refusal', () => {
  it.each(Object.entries(refusals))('%s is reached', (code, [fact, wanted]) => {
    expect(verifierWith(fact).verify(wanted ?? required)).toEqual({ valid: false, code });
  });

  it('tells nobody that the key of another workspace exists', () => {
    const { verify } = verifierWith(keyFact(1));
    expect(verify({ ...required, workspaceId: workspaceId(2) })).toEqual({ valid: false, code: 'unknown' });
  });

  it('is given without a lease, but never before the first snapshot', () => {
    const { clock, verifier, verify } = verifierWith(keyFact(1, { state: 'revoked' }));
    clock.advance(31_000);
    expect(verify()).toEqual({ valid: false, code: 'revoked' });
    expect(verifier.ready).toBe(true);
  });

  it('a key whose owner or keyspace has not been heard of is stale, not refused', () => {
    for (const change of [{ ownerId: ownerId(9) }, { keyspaceId: keyspaceId(9) }]) {
      const { verifier, verify } = verifierWith(keyFact(1, change));
      expect(verify({})).toEqual({ valid: null, code: 'stale' });
      verifier.applyOwner(ownerFact(9));
      verifier.applyKeyspace(keyspaceFact(9));
      expect(verify({})).toMatchObject({ valid: true });
    }
  });
});

describe('time', () => {
  it('an expiry is exact, and counted at the latest that the clock may show', () => {
    const { clock, verify } = verifierWith(keyFact(1, { expiresAtMs: startMs + 10 }));
    clock.advance(9);
    expect(verify()).toMatchObject({ valid: true });
    clock.advance(1);
    expect(verify()).toEqual({ valid: false, code: 'expired' });
    clock.stepWall(-5);
    clock.uncertaintyMs = 5;
    expect(verify()).toEqual({ valid: false, code: 'expired' });
  });

  it('a beginning is counted at the earliest', () => {
    const { clock, verify } = verifierWith(keyFact(1, { notBeforeMs: startMs + 10 }));
    clock.uncertaintyMs = 3;
    clock.advance(12);
    expect(verify()).toEqual({ valid: false, code: 'not_yet_valid' });
    clock.advance(1);
    expect(verify()).toMatchObject({ valid: true });
  });

  it('a version in grace works until its end or that of its key, says so, and remembers its last use', () => {
    const grace = versionFact(1, 1, { state: 'grace', retiresAtMs: startMs + 100 });
    const { clock, verifier, verify } = verifierWith(keyFact(1, { versions: [grace, versionFact(1, 2)] }));
    expect(verifier.lastGraceUseMs(keyId(1))).toBeNull();
    clock.advance(50);
    expect(verify()).toMatchObject({
      valid: true,
      version: 1,
      expiresAtMs: startMs + 100,
      rotation: { state: 'grace', retiresAtMs: startMs + 100 },
    });
    expect(verifier.verify(keyString(1, 2), required)).toMatchObject({ version: 2, rotation: null });
    expect(verifier.lastGraceUseMs(keyId(1))).toBe(startMs + 50);
    expect(verifier.lastGraceUseMs(keyId(2))).toBeNull();
    clock.advance(50);
    expect(verify()).toEqual({ valid: false, code: 'expired' });
    expect(verifier.lastGraceUseMs(keyId(1))).toBe(startMs + 50);
    const retired = versionFact(1, 1, { state: 'retired', retiresAtMs: startMs + 100 });
    verifier.applyKey(keyFact(1, { revision: 2, versions: [retired, versionFact(1, 2)] }));
    expect(verifier.lastGraceUseMs(keyId(1))).toBeNull();
  });

  it('a use that was not accepted for want of a lease is no use', () => {
    const grace = versionFact(1, 1, { state: 'grace', retiresAtMs: startMs + 24 * hourMs });
    const { clock, verifier, verify } = verifierWith(keyFact(1, { versions: [grace] }));
    clock.advance(30_001);
    expect(verify()).toEqual({ valid: null, code: 'stale' });
    expect(verifier.lastGraceUseMs(keyId(1))).toBeNull();
  });
});

describe('one fact about an owner or a keyspace', () => {
  const keys = Array.from({ length: 10_000 }, (_, at) => at);
  const { verifier } = readyVerifier();
  for (const key of keys) verifier.applyKey(keyFact(key));
  const codes = () => new Set(keys.map((key) => verifier.verify(keyString(key), required).code));

  it('suspends, resumes and cuts off ten thousand keys at once', () => {
    expect(codes()).toEqual(new Set(['valid']));
    verifier.applyOwner(ownerFact(1, { revision: 2, state: 'suspended' }));
    expect(codes()).toEqual(new Set(['suspended']));
    verifier.applyOwner(ownerFact(1, { revision: 1 }));
    expect(codes()).toEqual(new Set(['suspended']));
    verifier.applyOwner(ownerFact(1, { revision: 3 }));
    expect(codes()).toEqual(new Set(['valid']));
    verifier.applyKeyspace(keyspaceFact(1, { revision: 2, state: 'suspended' }));
    expect(codes()).toEqual(new Set(['suspended']));
    verifier.applyKeyspace(keyspaceFact(1, { revision: 3, keysNotBeforeMs: startMs - hourMs }));
    expect(codes()).toEqual(new Set(['revoked']));
    verifier.applyKeyspace(keyspaceFact(1, { revision: 4 }));
    verifier.applyOwner(ownerFact(1, { revision: 4, keysNotBeforeMs: startMs - hourMs }));
    expect(codes()).toEqual(new Set(['revoked']));
    verifier.applyOwner(ownerFact(1, { revision: 5, keysNotBeforeMs: startMs - hourMs - 1 }));
    expect(codes()).toEqual(new Set(['valid']));
  });
});

describe('strings of strangers', () => {
  const { verifier } = readyVerifier();
  verifier.applyKey(keyFact(1));

  it.each([
    ['nothing', ''],
    ['a megabyte', 'k'.repeat(1_000_000)],
    ['one character over the bound', 'k'.repeat(keyLengthMax + 1)],
    ['a key cut off at its end', keyString(1).slice(0, -1)],
    ['a key with one character wrong', keyString(1).replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
    ['two keys', keyString(1) + keyString(1)],
    ['half of a surrogate pair', '\ud800'],
    ['an underscore', '_'],
  ])('%s is malformed', (_, key) => {
    expect(verifier.verify(key, required)).toEqual({ valid: false, code: 'malformed' });
  });

  it('any string at all gets a refusal, and nothing throws', () => {
    const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 600 }), fc.string({ maxLength: 80 }));
    checkProperty(
      fc.property(anything, (key) => {
        expect(verifier.verify(key, required)).toEqual({ valid: false, code: 'malformed' });
      }),
      process.env,
      500,
    );
  });

  it('what is no string at all is malformed', () => {
    expect(verifier.verify(undefined as unknown as string, {})).toMatchObject({ code: 'malformed' });
  });
});

describe('imported keys', () => {
  const sha256 = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());

  it.each([
    ['the hash of the whole string', 'Legacy-Key ä 0815', 'Legacy-Key ä 0815'],
    [
      'the hash of the long token of a prefixed API key',
      'mycompany_BRTRKFsL_51FwqftsmMDHHbJAMEXXHCgG',
      '51FwqftsmMDHHbJAMEXXHCgG',
    ],
  ])('a key known by %s is verified by its own string', (_, key, hashed) => {
    const { verifier } = readyVerifier();
    const version = { ...versionFact(1), fingerprint: sha256(hashed).slice(0, 16) };
    expect(verifier.verify(key, required)).toEqual({ valid: false, code: 'malformed' });
    verifier.applyKey(keyFact(1, { versions: [version] }));
    expect(verifier.verify(key, required)).toMatchObject({ valid: true, keyId: keyId(1) });
  });

  it.each(['before', 'after'])(
    'a foreign key whose hash is imported %s it came is neither replaced nor hidden',
    (when) => {
      const { verifier } = readyVerifier();
      verifier.applyKeyspace(keyspaceFact(2, { workspaceId: workspaceId(2) }));
      const stolen = { ...versionFact(1), mintedAtMs: startMs };
      const theirs = keyFact(2, { keyspaceId: keyspaceId(2), versions: [stolen] });
      for (const fact of when === 'before' ? [theirs, keyFact(1)] : [keyFact(1), theirs])
        verifier.applyKey(fact);
      expect(verifier.verify(keyString(1), required)).toMatchObject({ valid: true, keyId: keyId(1) });
      expect(verifier.verify(keyString(1), {})).toMatchObject({ valid: true, keyId: keyId(1) });
      const asThem = { workspaceId: workspaceId(2) };
      expect(verifier.verify(keyString(1), asThem)).toMatchObject({ valid: true, keyId: keyId(2) });
    },
  );
});

describe('the lease of a verdict', () => {
  /** The process is stopped for longer than L between its look at the table and its look at the clock. */
  function codeWhenStopped(monotonicReadFirst: boolean): string {
    const { clock, verifier } = readyVerifier();
    verifier.applyKey(keyFact(1));
    const beforeMs = clock.monotonicMs();
    const latestMs = clock.latestMs.bind(clock);
    clock.latestMs = () => {
      const readMs = latestMs();
      clock.latestMs = latestMs;
      clock.advance(30_001);
      return readMs;
    };
    if (monotonicReadFirst) clock.monotonicMs = () => beforeMs;
    return verifier.verify(keyString(1), required).code;
  }

  it('is asked after the table: time that passes while a key is judged counts', () => {
    expect(codeWhenStopped(false)).toBe('stale');
    // The planted bug, a monotonic clock that was read before the table, shows that the stop matters.
    expect(codeWhenStopped(true)).toBe('valid');
  });

  it('is that of the keyspace of the key', () => {
    const { clock, verifier } = readyVerifier();
    verifier.applyKeyspace(keyspaceFact(2, { leaseMs: 2000 }));
    verifier.applyKey(keyFact(1));
    verifier.applyKey(keyFact(2, { keyspaceId: keyspaceId(2) }));
    clock.advance(2001);
    expect(verifier.verify(keyString(1), {})).toMatchObject({ valid: true });
    expect(verifier.verify(keyString(2), {})).toEqual({ valid: null, code: 'stale' });
    verifier.renewLease(clock.monotonicMs());
    expect(verifier.verify(keyString(2), {})).toMatchObject({ valid: true });
    expect(verifier.leaseMsOf(keyspaceId(2))).toBe(2000);
    expect(verifier.leaseMsOf(keyspaceId(3))).toBeUndefined();
  });
});

it('an id that a verdict spells is the id that core spells', () => {
  checkProperty(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const spelled = keyIdOfWords(view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12));
      expect(spelled).toBe(idFromUuidBytes('key', bytes));
    }),
    process.env,
  );
});

it('a fingerprint is SHA-256 of the UTF-8 bytes', () => {
  expect(Buffer.from(fingerprintOf('abc')).toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  expect(keyRow(1, keyFact(1)).key?.id).toBe(keyId(1));
});

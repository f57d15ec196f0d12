import { describe, expect, it } from 'vitest';
import { AssertionBroken } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import { inUseWindowMsMin, inUseWindowSecondsDefault } from '../limits/limits.ts';
import { faultOf } from './fault-of.arbitrary.ts';
import type { KeyRecord } from './key-record.ts';
import { fingerprintOf, issued, keyspaceWith, rotated, t0 } from './records.arbitrary.ts';
import { finishRotation, rotateKey } from './rotate-key.ts';
import { liveVersionsAt, versionStateAt } from './states.ts';
import {
  isSettled,
  type SettlingEvidence,
  type UnheardVerifier,
  type UseEvidence,
  type VersionUse,
} from './use-evidence.ts';

const statesOf = (key: KeyRecord, nowMs = t0): readonly string[] =>
  key.versions.map((version) => `${version.number} ${versionStateAt(version, nowMs)}`);

const inUseWindowMs = inUseWindowSecondsDefault * 1000;

describe('rotating', () => {
  it('makes a new version active and puts the old one in grace for as long as asked', () => {
    const key = rotated(issued(), t0 + 10, { graceSeconds: 60 });
    expect(statesOf(key, t0 + 10)).toEqual(['1 grace', '2 active']);
    expect(key.versions[0]?.retiresAtMs).toBe(t0 + 10 + 60_000);
    expect(statesOf(key, t0 + 10 + 59_999)).toEqual(['1 grace', '2 active']);
    expect(statesOf(key, t0 + 10 + 60_000)).toEqual(['1 retired', '2 active']);
    expect(key.revision).toBe(2);
  });

  it('takes ten minutes of grace unless told, or the maximum of the keyspace if that is shorter', () => {
    expect(rotated(issued(), t0).versions[0]?.retiresAtMs).toBe(t0 + 600_000);
    const short = rotateKey(
      issued(),
      keyspaceWith({ maxGraceSeconds: 5 }),
      { fingerprint: fingerprintOf(2) },
      t0,
    );
    expect(short.versions[0]?.retiresAtMs).toBe(t0 + 5000);
  });

  it('ends the old version at once with no grace', () => {
    const key = rotated(issued(), t0, { graceSeconds: 0 });
    expect(statesOf(key)).toEqual(['1 retired', '2 active']);
  });

  it('never lets a grace outlive the key', () => {
    const key = rotated(issued({ ttlSeconds: 60 }), t0, { graceSeconds: 3600 });
    expect(key.versions[0]?.retiresAtMs).toBe(t0 + 60_000);
  });

  it('refuses a third live version unless the oldest is cut', () => {
    const key = rotated(issued(), t0);
    expect(faultOf(() => rotated(key, t0 + 1))).toBe('rotation_in_progress /cut');
    expect(faultOf(() => rotated(key, t0 + 1, { graceSeconds: 0 }))).toBe('rotation_in_progress /cut');
    const cut = rotated(key, t0 + 1, { cut: true });
    expect(statesOf(cut, t0 + 1)).toEqual(['1 retired', '2 grace', '3 active']);
    expect(cut.versions[0]?.retiresAtMs).toBe(t0 + 1);
    expect(statesOf(rotated(key, t0 + 1, { cut: true, graceSeconds: 0 }))).toEqual([
      '1 retired',
      '2 retired',
      '3 active',
    ]);
  });

  it('may be done again once the grace has run out, and writes that down', () => {
    const key = rotated(rotated(issued(), t0, { graceSeconds: 1 }), t0 + 1000);
    expect(key.versions.map((version) => version.state)).toEqual(['retired', 'grace', 'active']);
  });

  it('keeps the newest three versions', () => {
    let key = issued();
    for (let round = 1; round <= 5; round += 1) key = rotated(key, t0 + round, { cut: true });
    expect(key.versions.map((version) => version.number)).toEqual([4, 5, 6]);
    expect(liveVersionsAt(key, t0 + 5)).toHaveLength(2);
  });

  it('is not done to a suspended, revoked or expired key', () => {
    expect(faultOf(() => rotated({ ...issued(), state: 'suspended' }, t0))).toBe('key_suspended id');
    expect(faultOf(() => rotated({ ...issued(), state: 'revoked' }, t0))).toBe('key_revoked id');
    expect(faultOf(() => rotated(issued({ ttlSeconds: 1 }), t0 + 1000))).toBe('key_expired id');
  });

  it('is done to a pending key, whose secret may have leaked before its day', () => {
    expect(statesOf(rotated(issued({ notBeforeMs: t0 + 5000 }), t0))).toEqual(['1 grace', '2 active']);
  });

  it.each([
    ['over the maximum', 8 * 86_400, 'grace_too_long /grace_seconds'],
    ['negative', -1, 'invalid_field /grace_seconds'],
    ['in fractions', 1.5, 'invalid_field /grace_seconds'],
    ['that is no number', Number.NaN, 'invalid_field /grace_seconds'],
    ['without end', Number.POSITIVE_INFINITY, 'invalid_field /grace_seconds'],
  ])('refuses a grace %s', (_, graceSeconds, expected) => {
    expect(faultOf(() => rotated(issued(), t0, { graceSeconds }))).toBe(expected);
  });

  it('mints after every watermark', () => {
    const key = rotated(issued(), t0, { ownerKeysNotBeforeMs: t0 + 7 });
    expect(key.versions[1]?.mintedAtMs).toBe(t0 + 8);
  });

  it('as a bug, takes no fingerprint twice and no policy of another keyspace', () => {
    expect(() => rotated(issued(), t0, { fingerprint: fingerprintOf(1) })).toThrow(AssertionBroken);
    const foreign = keyspaceWith({ id: JSON.parse('"ks_0000000000000000000000000a"') });
    expect(() => rotateKey(issued(), foreign, { fingerprint: fingerprintOf(2) }, t0)).toThrow(
      AssertionBroken,
    );
  });
});

describe('finishing a rotation', () => {
  const rotating = rotated(issued(), t0);
  const oldUsed = (atMs: number): VersionUse => ({ number: 1, firstUsedMs: t0, lastUsedMs: atMs });
  const newUsed = (atMs: number): VersionUse => ({ number: 2, firstUsedMs: atMs, lastUsedMs: atMs });
  const evidenceOf = (uses: readonly VersionUse[], unheard: UnheardVerifier | null = null): UseEvidence => ({
    uses,
    unheard,
    windowMs: inUseWindowMs,
  });
  const finishOn =
    (evidence: UseEvidence, nowMs: number, force = false) =>
    () =>
      finishRotation(rotating, { force, evidence }, nowMs);

  it('ends the grace now', () => {
    const key = finishOn(evidenceOf([newUsed(t0 + 1)]), t0 + 5)();
    expect(key.versions[0]).toMatchObject({ state: 'retired', retiresAtMs: t0 + 5 });
    expect(key.revision).toBe(rotating.revision + 1);
  });

  it('is refused while the old version is in use, and names when it was', () => {
    const lastUsedMs = t0 + 1000;
    const evidence = evidenceOf([oldUsed(lastUsedMs), newUsed(t0 + 1)]);
    const finish = (nowMs: number, force = false) => finishOn(evidence, nowMs, force);
    expect(faultOf(finish(lastUsedMs + inUseWindowMs - 1))).toBe('version_in_use /force');
    expect(faultOf(finish(lastUsedMs - 50)), 'a clock that is behind').toBe('version_in_use /force');
    expect(faultOf(finish(lastUsedMs + inUseWindowMs))).toBe('done');
    expect(faultOf(finish(lastUsedMs, true))).toBe('done');
    expect(thrownBy(finish(lastUsedMs))).toMatchObject({
      extra: { version: 1, last_used_at: '2023-11-14T22:13:21.000Z' },
    });
  });

  it('is refused where the new version was never used, however long the old one has been silent, unless forced', () => {
    const lateMs = t0 + 590_000;
    expect(faultOf(finishOn(evidenceOf([oldUsed(t0 + 1)]), lateMs))).toBe('new_version_unused /force');
    expect(thrownBy(finishOn(evidenceOf([]), lateMs))).toMatchObject({ extra: { version: 2 } });
    expect(faultOf(finishOn(evidenceOf([]), lateMs, true))).toBe('done');
  });

  it('is refused while a verifier that is not heard of may have accepted the old version within the window', () => {
    const silentAtMs = t0 + 10_000;
    const unheard = { name: 'edge-3', mayHaveAcceptedUntilMs: silentAtMs };
    const evidence = evidenceOf([newUsed(t0 + 1)], unheard);
    expect(faultOf(finishOn(evidence, silentAtMs + inUseWindowMs - 1))).toBe('use_unproven /force');
    expect(faultOf(finishOn(evidence, silentAtMs + inUseWindowMs))).toBe('done');
    expect(faultOf(finishOn(evidence, silentAtMs, true))).toBe('done');
    expect(thrownBy(finishOn(evidence, silentAtMs))).toMatchObject({
      extra: { version: 1, verifier: 'edge-3', until: '2023-11-14T22:13:30.000Z' },
    });
  });

  it('is not held up by a verifier whose lease had ended before the grace began', () => {
    const unheard = { name: 'edge-3', mayHaveAcceptedUntilMs: t0 };
    expect(faultOf(finishOn(evidenceOf([newUsed(t0 + 1)], unheard), t0 + 2))).toBe('done');
  });

  it('is refused when no version is in grace', () => {
    const finish = (key: KeyRecord, nowMs: number) =>
      faultOf(() => finishRotation(key, { force: true, evidence: evidenceOf([]) }, nowMs));
    expect(finish(issued(), t0)).toBe('not_rotating id');
    expect(finish(rotating, t0 + 600_000)).toBe('not_rotating id');
    expect(finish({ ...rotating, state: 'revoked' }, t0)).toBe('key_revoked id');
  });
});

describe('a rotation that settles by itself', () => {
  const settleMs = 120_000;
  const rotating = rotated(issued(), t0);
  const firstUsedMs = t0 + 5_000;
  const used = { number: 2, firstUsedMs, lastUsedMs: firstUsedMs };
  const settled = (nowMs: number, more: Partial<Omit<SettlingEvidence, 'settleMs'>> = {}) =>
    isSettled(rotating, { uses: [used], unheard: null, settleMs, ...more }, nowMs);

  it('does so once the new version has been in use for the settle time, and not a moment sooner', () => {
    expect(settled(firstUsedMs + settleMs - 1)).toBe(false);
    expect(settled(firstUsedMs + settleMs)).toBe(true);
  });

  it('never does while the new version was not used, or the old one was within that time', () => {
    expect(settled(firstUsedMs + settleMs, { uses: [] })).toBe(false);
    const old = { number: 1, firstUsedMs: t0, lastUsedMs: t0 + 100_000 };
    expect(settled(t0 + 219_999, { uses: [used, old] })).toBe(false);
    expect(settled(t0 + 220_000, { uses: [used, old] })).toBe(true);
  });

  it('waits for a verifier that may have accepted the old version within that time', () => {
    const unheard = { name: 'edge-3', mayHaveAcceptedUntilMs: t0 + 100_000 };
    expect(settled(t0 + 219_999, { unheard })).toBe(false);
    expect(settled(t0 + 220_000, { unheard })).toBe(true);
  });

  it('watches for no shorter than it takes to tell of a use', () => {
    const old = { number: 1, firstUsedMs: t0, lastUsedMs: t0 + 10_000 };
    const evidence = { uses: [used, old], unheard: null, settleMs: 0 };
    expect(isSettled(rotating, evidence, t0 + 10_000 + inUseWindowMsMin - 1)).toBe(false);
    expect(isSettled(rotating, evidence, t0 + 10_000 + inUseWindowMsMin)).toBe(true);
  });

  it('is nothing that happens to a key that does not rotate', () => {
    expect(isSettled(issued(), { uses: [{ ...used, number: 1 }], unheard: null, settleMs }, t0 * 2)).toBe(
      false,
    );
    expect(settled(t0 + 600_000)).toBe(false);
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    return error;
  }
  return undefined;
}

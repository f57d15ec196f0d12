import { describe, expect, it } from 'vitest';
import { AssertionBroken } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import { inUseWindowMs } from '../limits/limits.ts';
import { faultOf } from './fault-of.arbitrary.ts';
import type { KeyRecord } from './key-record.ts';
import { fingerprintOf, issued, keyspaceWith, rotated, t0 } from './records.arbitrary.ts';
import { finishRotation, rotateKey } from './rotate-key.ts';
import { liveVersionsAt, versionStateAt } from './states.ts';

const statesOf = (key: KeyRecord, nowMs = t0): readonly string[] =>
  key.versions.map((version) => `${version.number} ${versionStateAt(version, nowMs)}`);

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

  it('ends the grace now', () => {
    const key = finishRotation(rotating, { force: false, lastUsedMs: null }, t0 + 5);
    expect(key.versions[0]).toMatchObject({ state: 'retired', retiresAtMs: t0 + 5 });
    expect(key.revision).toBe(rotating.revision + 1);
  });

  it('is refused while the old version is in use, and names when it was', () => {
    const lastUsedMs = t0 + 1000;
    const finish =
      (nowMs: number, force = false) =>
      () =>
        finishRotation(rotating, { force, lastUsedMs }, nowMs);
    expect(faultOf(finish(lastUsedMs + inUseWindowMs - 1))).toBe('version_in_use /force');
    expect(faultOf(finish(lastUsedMs - 50)), 'a clock that is behind').toBe('version_in_use /force');
    expect(faultOf(finish(lastUsedMs + inUseWindowMs))).toBe('done');
    expect(faultOf(finish(lastUsedMs, true))).toBe('done');
    let fault: unknown;
    try {
      finish(lastUsedMs)();
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({ extra: { version: 1, last_used_at: '2023-11-14T22:13:21.000Z' } });
  });

  it('is refused when no version is in grace', () => {
    const finish = (key: KeyRecord, nowMs: number) =>
      faultOf(() => finishRotation(key, { force: true, lastUsedMs: null }, nowMs));
    expect(finish(issued(), t0)).toBe('not_rotating id');
    expect(finish(rotating, t0 + 600_000)).toBe('not_rotating id');
    expect(finish({ ...rotating, state: 'revoked' }, t0)).toBe('key_revoked id');
  });
});

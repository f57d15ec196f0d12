import { describe, expect, it } from 'vitest';
import { inUseWindowMsMin, renewalSpreadMsMax } from '../limits/limits.ts';
import type { KeyRecord } from './key-record.ts';
import { issued, rotated, t0 } from './records.arbitrary.ts';
import { requestRenewal, settleRotation } from './scheduled-rotation.ts';
import { versionStateAt } from './states.ts';

const dayMs = 86_400_000;

describe('a rotation whose keyspace has a settle time', () => {
  const settleMs = 120_000;
  const rotating = rotated(issued(), t0);
  const used = [{ number: 2, firstUsedMs: t0 + 10, lastUsedMs: t0 + 10 }];
  const settle = (key: KeyRecord, nowMs: number) =>
    settleRotation(key, { uses: used, unheard: null, settleMs }, nowMs);

  it('ends when it has settled, in one revision, and leaves the newest version as it is', () => {
    const after = settle(rotating, t0 + 10 + settleMs);
    expect(after?.revision).toBe(rotating.revision + 1);
    expect(after?.versions.map((version) => versionStateAt(version, t0 + 10 + settleMs))).toEqual([
      'retired',
      'active',
    ]);
    expect(after?.versions[1]).toEqual(rotating.versions[1]);
  });

  it('is left as it is before that, and so is a key that does not rotate or is at its end', () => {
    expect(settle(rotating, t0 + 9 + settleMs)).toBeUndefined();
    expect(settle(issued(), t0 + dayMs)).toBeUndefined();
    expect(settle({ ...rotating, state: 'revoked' }, t0 + 10 + settleMs)).toBeUndefined();
    expect(settle({ ...rotating, expiresAtMs: t0 + settleMs }, t0 + 10 + settleMs)).toBeUndefined();
  });

  it('of a key that is suspended ends as well: that only takes away', () => {
    expect(settle({ ...rotating, state: 'suspended' }, t0 + 10 + settleMs)).toBeDefined();
  });

  it('ends in no less than a minute, however short the settle time', () => {
    const at = (nowMs: number) =>
      settleRotation(
        rotating,
        { uses: [...used, { number: 1, firstUsedMs: t0, lastUsedMs: t0 + 20 }], unheard: null, settleMs: 0 },
        nowMs,
      );
    expect(at(t0 + 20 + inUseWindowMsMin - 1)).toBeUndefined();
    expect(at(t0 + 20 + inUseWindowMsMin)).toBeDefined();
  });
});

describe('a key whose keyspace has its secrets renewed', () => {
  const rotateAfterMs = 30 * dayMs;
  const dueMs = t0 + rotateAfterMs;
  const request = (key: KeyRecord, nowMs = dueMs, spread = 0.5) =>
    requestRenewal(key, { rotateAfterMs, spread }, nowMs);

  it('is asked to when its newest secret is that old, and not a moment sooner', () => {
    expect(request(issued(), dueMs - 1)).toBeUndefined();
    const asked = request(issued());
    expect(asked?.traits.renewAfterMs).toBe(dueMs + renewalSpreadMsMax / 2);
    expect(asked?.revision).toBe(2);
    expect(request(rotated(issued(), t0 + 1), dueMs), 'the age is that of the newest').toBeUndefined();
  });

  it('is asked once, and again only after it was renewed', () => {
    const asked = request(issued());
    if (asked === undefined) throw new Error('it is due');
    expect(request(asked, dueMs + dayMs)).toBeUndefined();
    const renewed = rotated(asked, dueMs + dayMs);
    expect(renewed.traits.renewAfterMs).toBeUndefined();
    expect(request(renewed, dueMs + dayMs + rotateAfterMs)).toBeDefined();
  });

  it('is asked for an instant within a tenth of that age, and well before it ends', () => {
    const at = (key: KeyRecord, spread: number) =>
      (request(key, dueMs, spread)?.traits.renewAfterMs ?? 0) - dueMs;
    expect(at(issued(), 0)).toBe(0);
    expect(at(issued(), 0.999_999)).toBeLessThan(dayMs);
    const ending = { ...issued(), expiresAtMs: dueMs + 60_000 };
    expect(at(ending, 0.999_999)).toBeLessThan(30_000);
    const short = requestRenewal(issued(), { rotateAfterMs: 60_000, spread: 0.999_999 }, t0 + 60_000);
    expect((short?.traits.renewAfterMs ?? 0) - t0 - 60_000).toBeLessThan(6_000);
  });

  it('is not asked where it can not renew: pending, suspended, at its end, or only to be exchanged', () => {
    expect(request({ ...issued(), notBeforeMs: dueMs + 1 })).toBeUndefined();
    expect(request({ ...issued(), state: 'suspended' })).toBeUndefined();
    expect(request({ ...issued(), state: 'revoked' })).toBeUndefined();
    expect(request({ ...issued(), expiresAtMs: dueMs })).toBeUndefined();
    expect(request({ ...issued(), traits: { enrollment: {} } as never })).toBeUndefined();
  });
});

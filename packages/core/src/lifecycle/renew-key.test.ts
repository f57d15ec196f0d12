import { describe, expect, it } from 'vitest';
import { Fault } from '../errors/fault.ts';
import { graceDefaultSeconds, successorUnprovenMs } from '../limits/limits.ts';
import { faultOf as faultWithField } from './fault-of.arbitrary.ts';
import { judgeHolder } from './holder-standing.ts';
import type { KeyRecord } from './key-record.ts';
import {
  deepFreeze,
  fingerprintOf,
  issued,
  keyspaceWith,
  ownerWith,
  rotated,
  t0,
} from './records.arbitrary.ts';
import { type RenewKey, renewKey, renewWindowOfKey } from './renew-key.ts';
import { liveVersionsAt, versionStateAt } from './states.ts';
import { updateKey } from './update-key.ts';

const ttlSeconds = 90 * 86_400;
const lifeMs = ttlSeconds * 1000;
const opensMsOf = (key: KeyRecord): number => renewWindowOfKey(key)?.opensMs ?? Number.NaN;
const faultOf = (act: () => unknown): string => faultWithField(act).replace(/ (undefined|id)$/, '');
const unused = { used: false, unheardUntilMs: null };

function renewed(key: KeyRecord, nowMs: number, wish: Partial<RenewKey> = {}, policy = {}): KeyRecord {
  const number = key.versions.at(-1)?.number ?? 0;
  const fingerprint = fingerprintOf(1000 + (nowMs - t0));
  return deepFreeze(renewKey(key, keyspaceWith(policy), { number, fingerprint, ...wish }, nowMs));
}

const statesOf = (key: KeyRecord, nowMs: number): readonly string[] =>
  key.versions.map((version) => `${version.number} ${versionStateAt(version, nowMs)}`);

describe('renewing by the newest version', () => {
  const key = issued({ ttlSeconds });
  const opensMs = opensMsOf(key);

  it('is refused before its window, and says when that opens', () => {
    const early = () => renewed(key, opensMs - 1500);
    expect(faultOf(early)).toBe('renew_too_early');
    let fault: unknown;
    try {
      early();
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({
      retryAfterMs: 1500,
      extra: { renew_after: new Date(opensMs).toISOString() },
    });
  });

  it('makes the next version, lets the one that asked go on for its grace, and lives as long again', () => {
    const after = renewed(key, opensMs);
    expect(statesOf(after, opensMs)).toEqual(['1 grace', '2 active']);
    expect(after.versions[0]?.retiresAtMs).toBe(opensMs + graceDefaultSeconds * 1000);
    expect(after.expiresAtMs).toBe(opensMs + lifeMs);
    const again = renewed(after, opensMsOf(after));
    expect(again.expiresAtMs, 'not longer each time').toBe(opensMsOf(after) + lifeMs);
  });

  it('never lets the grace of the old secret outlive the end it was given', () => {
    const short = issued({ ttlSeconds: 60 });
    const nowMs = opensMsOf(short);
    const after = renewed(short, nowMs);
    expect(after.versions[0]?.retiresAtMs).toBe(t0 + 60_000);
    expect(after.expiresAtMs).toBe(nowMs + 60_000);
  });

  it('is bounded by what the keyspace allows by now, and takes nothing away that was granted', () => {
    const capped = renewed(key, opensMs, {}, { maxTtlSeconds: 86_400 });
    expect(capped.expiresAtMs).toBe(Math.max(opensMs + 86_400_000, key.expiresAtMs ?? 0));
  });

  it('moves no end that somebody named, at issue or later', () => {
    const endsAtMs = t0 + lifeMs;
    const named = issued({ expiresAtMs: endsAtMs });
    expect(renewed(named, opensMsOf(named)).expiresAtMs).toBe(endsAtMs);
    const shortened = updateKey(key, keyspaceWith(), { expiresAtMs: t0 + lifeMs / 2 }, t0 + 1);
    expect(renewed(shortened, opensMsOf(shortened)).expiresAtMs).toBe(t0 + lifeMs / 2);
  });

  it('moves the end of no management key', () => {
    const policy = { name: 'keyswarm' };
    expect(renewed(key, opensMs, {}, policy).expiresAtMs).toBe(key.expiresAtMs);
  });

  it('is refused without a window: no end, and nobody asked', () => {
    const endless = issued();
    expect(faultOf(() => renewed(endless, t0 + lifeMs))).toBe('renew_too_early');
    const asked = { ...endless, traits: { renewAfterMs: t0 + 5, campaign: 'camp_1' } };
    expect(faultOf(() => renewed(asked, t0 + 4))).toBe('renew_too_early');
    const after = renewed(asked, t0 + 5);
    expect(after.expiresAtMs).toBeNull();
    expect(after.traits).toEqual({ campaign: 'camp_1', renewed: { number: 2, lifeMs: null } });
    expect(
      faultOf(() => renewed(after, t0 + 6)),
      'asked once, renewed once',
    ).toBe('renew_too_early');
  });

  it('waits for an older version that is still in grace, but not until the key ends', () => {
    const asked = (at: KeyRecord) => ({ ...at, traits: { renewAfterMs: t0 } });
    const rotating = asked(rotated(key, t0, { graceSeconds: 3600 }));
    expect(faultOf(() => renewed(rotating, t0 + 1000))).toBe('renew_too_early');
    expect(statesOf(renewed(rotating, t0 + 3_600_000), t0 + 3_600_000)).toEqual([
      '1 retired',
      '2 grace',
      '3 active',
    ]);
    const ending = asked(rotated(issued({ ttlSeconds: 600 }), t0, { graceSeconds: 3600 }));
    expect(statesOf(renewed(ending, t0 + 1000), t0 + 1000)).toEqual(['1 retired', '2 grace', '3 active']);
  });

  it('is refused to a key that is suspended, revoked or expired', () => {
    const states = ['suspended', 'revoked'] as const;
    const faults = states.map((state) => faultOf(() => renewed({ ...key, state }, opensMs)));
    expect([...faults, faultOf(() => renewed(key, t0 + lifeMs))]).toEqual([
      'key_suspended',
      'key_revoked',
      'key_expired',
    ]);
  });
});

describe('renewing by the version in grace', () => {
  const key = issued({ ttlSeconds });
  const atMs = opensMsOf(key);
  const crashed = renewed(key, atMs);
  const laterMs = atMs + successorUnprovenMs;
  const retry = (nowMs: number, wish: Partial<RenewKey> = {}, from = crashed) =>
    renewed(from, nowMs, { number: 1, successor: unused, ...wish });

  it('puts another secret in place of one that nobody used, however often, and leaves no third version', () => {
    let after = crashed;
    for (const nowMs of [laterMs, laterMs + 20_000, laterMs + 40_000]) {
      const before = after.versions.at(-1)?.fingerprint;
      after = retry(nowMs, {}, after);
      expect(statesOf(after, nowMs)).toEqual(['1 grace', '2 active']);
      expect(after.versions.at(-1)?.fingerprint).not.toEqual(before);
      expect(liveVersionsAt(after, nowMs)).toHaveLength(2);
    }
    expect(after.versions[0], 'the grace is not lengthened').toEqual(crashed.versions[0]);
    expect(after.expiresAtMs).toBe(laterMs + 40_000 + lifeMs);
  });

  it('is refused once the successor was used: who has the older secret may not take the newer one away', () => {
    expect(faultOf(() => retry(laterMs, { successor: { used: true, unheardUntilMs: null } }))).toBe(
      'version_superseded',
    );
  });

  it('is refused while a use may not have been heard of', () => {
    expect(faultOf(() => retry(laterMs - 1))).toBe('renew_too_early');
    expect(faultOf(() => retry(laterMs, { successor: undefined }))).toBe('renew_too_early');
    expect(faultOf(() => retry(laterMs, { successor: { used: false, unheardUntilMs: atMs + 1 } }))).toBe(
      'renew_too_early',
    );
    expect(faultOf(() => retry(laterMs, { successor: { used: false, unheardUntilMs: atMs } }))).toBe('done');
  });

  it('takes away no version that a manager made', () => {
    const byManager = rotated(key, atMs);
    expect(faultOf(() => retry(laterMs, {}, byManager))).toBe('version_superseded');
    const afterwards = rotated(crashed, laterMs, { cut: true });
    expect(faultOf(() => renewed(afterwards, laterMs + 20_000, { number: 2, successor: unused }))).toBe(
      'version_superseded',
    );
  });
});

describe('what a holder is taken for where its change is decided', () => {
  const held = { key: issued({ ttlSeconds }), owner: ownerWith(), keyspace: keyspaceWith() };
  const verdictOf = (change: object, number = 1) => judgeHolder({ ...held, ...change }, number, t0 + 1);

  it('is what a verifier would say of its version', () => {
    const state = 'suspended';
    expect(verdictOf({})).toBe('valid');
    expect(verdictOf({}, 2)).toBe('unknown');
    expect(verdictOf({ owner: ownerWith({ state }) })).toBe('suspended');
    expect(verdictOf({ keyspace: keyspaceWith({ state }) })).toBe('suspended');
    expect(verdictOf({ owner: ownerWith({ keysNotBeforeMs: t0 }) })).toBe('revoked');
    expect(verdictOf({ keyspace: keyspaceWith({ keysNotBeforeMs: t0 }) })).toBe('revoked');
    expect(verdictOf({ key: rotated(held.key, t0, { graceSeconds: 0 }) })).toBe('expired');
    expect(verdictOf({ key: { ...held.key, state: 'revoked' } })).toBe('revoked');
    expect(verdictOf({ key: { ...held.key, traits: { enrollment: {} } } })).toBe('insufficient_scope');
  });
});

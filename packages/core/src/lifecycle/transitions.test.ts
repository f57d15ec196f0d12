import { describe, expect, it } from 'vitest';
import { faultRegistry } from '../errors/registry.ts';
import { faultOf } from './fault-of.arbitrary.ts';
import type { KeyRecord, KeyState, KeyVersion, VersionState } from './key-record.ts';
import { fingerprintOf, issued, keyspaceWith, rotated, t0 } from './records.arbitrary.ts';
import { revokeKey } from './revoke-key.ts';
import { finishRotation, rotateKey } from './rotate-key.ts';
import { keyStateAt, versionStateAt } from './states.ts';
import { resumeKey, suspendKey } from './suspend-key.ts';
import { type KeyEvent, keyTransitions, type VersionEvent, versionTransitions } from './transitions.ts';
import { updateKey } from './update-key.ts';

/*
 * The tables and the deciders are two tellings of one thing. Here every cell is tried: a key is brought into the
 * state, the event happens to it, and it must land where the cell says or be refused as the cell says.
 */

const beginsAtMs = t0 + 10_000;
const expiresAtMs = t0 + 20_000;
const nowMs = t0 + 5000;

const forced = { force: true, evidence: { uses: [], unheard: null, windowMs: 0 } };

/** A key in grace, so that finishing has something to finish, in each state; the second one has not begun. */
const whole = rotated(issued({ expiresAtMs }), t0);
const early = rotated(issued({ expiresAtMs, notBeforeMs: beginsAtMs }), t0);
const keysIn: Readonly<Record<KeyState, readonly KeyRecord[]>> = {
  pending: [early],
  active: [whole],
  suspended: [suspendKey(whole, t0), suspendKey(early, t0)],
  revoked: [revokeKey(whole, {}, t0), revokeKey(early, {}, t0)],
  expired: [
    { ...whole, expiresAtMs: nowMs },
    { ...suspendKey(whole, t0), expiresAtMs: nowMs },
  ],
};

type Outcome = { readonly key: KeyRecord; readonly atMs: number };
const keyEvents: Readonly<Record<KeyEvent, (key: KeyRecord) => Outcome>> = {
  rotate: (key) => ({
    key: rotateKey(key, keyspaceWith(), { fingerprint: fingerprintOf(7), cut: true }, nowMs),
    atMs: nowMs,
  }),
  finish: (key) => ({ key: finishRotation(key, forced, nowMs), atMs: nowMs }),
  update: (key) => ({ key: updateKey(key, keyspaceWith(), { name: 'other' }, nowMs), atMs: nowMs }),
  suspend: (key) => ({ key: suspendKey(key, nowMs), atMs: nowMs }),
  resume: (key) => ({ key: resumeKey(key, nowMs), atMs: nowMs }),
  revoke: (key) => ({ key: revokeKey(key, {}, nowMs), atMs: nowMs }),
  begin: (key) => ({ key, atMs: beginsAtMs }),
  expire: (key) => ({ key, atMs: expiresAtMs }),
};

const keyStates = Object.keys(keysIn) as KeyState[];
const eventNames = Object.keys(keyEvents) as KeyEvent[];
const keyCells = keyStates.flatMap((state) => eventNames.map((event) => [state, event] as const));

describe('the table of keys', () => {
  it('has an entry for every state and every event, and no other', () => {
    expect(Object.keys(keyTransitions).sort()).toEqual([...keyStates].sort());
    for (const state of keyStates)
      expect(Object.keys(keyTransitions[state]).sort()).toEqual([...eventNames].sort());
  });

  it.each(keyCells)('%s key, %s: happens as the table says', (state, event) => {
    const transition = keyTransitions[state][event];
    const landed = new Set<KeyState>();
    for (const key of keysIn[state]) {
      expect(keyStateAt(key, nowMs)).toBe(state);
      const attempt = (): Outcome => keyEvents[event](key);
      if ('refuse' in transition) {
        expect(faultOf(attempt)).toBe(`${transition.refuse} id`);
        continue;
      }
      const outcome = attempt();
      landed.add(keyStateAt(outcome.key, outcome.atMs));
    }
    if ('to' in transition) expect([...landed].sort()).toEqual([...transition.to].sort());
  });

  it('lets nothing out of revoked, and out of expired only into revoked', () => {
    for (const event of eventNames) {
      const fromRevoked = keyTransitions.revoked[event];
      if ('to' in fromRevoked) expect(fromRevoked.to).toEqual(['revoked']);
      const fromExpired = keyTransitions.expired[event];
      if ('to' in fromExpired) expect(fromExpired.to).toEqual([event === 'revoke' ? 'revoked' : 'expired']);
    }
  });

  it('refuses with codes that mean a conflict', () => {
    for (const [state, event] of keyCells) {
      const transition = keyTransitions[state][event];
      if ('refuse' in transition) expect(faultRegistry[transition.refuse].status).toBe(409);
    }
  });
});

/** Versions one and two of a key whose first version is in each state. */
const versionsIn: Readonly<Record<VersionState, KeyRecord>> = {
  active: issued(),
  grace: rotated(issued(), t0, { graceSeconds: 60 }),
  retired: rotated(issued(), t0, { graceSeconds: 0 }),
};
const endOfGraceMs = t0 + 60_000;

const firstOf = (key: KeyRecord): KeyVersion | undefined =>
  key.versions.find((version) => version.number === 1);
const rotateWith = (key: KeyRecord, cut: boolean, graceSeconds: number): Outcome => ({
  key: rotateKey(key, keyspaceWith(), { fingerprint: fingerprintOf(7), cut, graceSeconds }, nowMs),
  atMs: nowMs,
});
const versionEvents: Readonly<Record<VersionEvent, (key: KeyRecord) => Outcome>> = {
  supersede: (key) => rotateWith(key, false, 60),
  cut: (key) => rotateWith(key, true, 0),
  finish: (key) => ({ key: finishRotation(key, forced, nowMs), atMs: nowMs }),
  lapse: (key) => ({ key, atMs: endOfGraceMs }),
};

const versionStates = Object.keys(versionsIn) as VersionState[];
const versionEventNames = Object.keys(versionEvents) as VersionEvent[];
const versionCells = versionStates.flatMap((state) =>
  versionEventNames.map((event) => [state, event] as const),
);

describe('the table of versions', () => {
  it('has an entry for every state and every event, and no other', () => {
    expect(Object.keys(versionTransitions).sort()).toEqual([...versionStates].sort());
    for (const state of versionStates) {
      expect(Object.keys(versionTransitions[state]).sort()).toEqual([...versionEventNames].sort());
    }
  });

  it.each(versionCells)('%s version, %s: happens as the table says', (state, event) => {
    const key = versionsIn[state];
    const first = firstOf(key);
    expect(first && versionStateAt(first, nowMs)).toBe(state);
    const transition = versionTransitions[state][event];
    const attempt = (): Outcome => versionEvents[event](key);
    if ('refuse' in transition) {
      expect(faultOf(attempt).split(' ')[0]).toBe(transition.refuse);
      return;
    }
    const outcome = attempt();
    const after = firstOf(outcome.key);
    expect(after && [versionStateAt(after, outcome.atMs)]).toEqual(transition.to);
  });

  it('lets nothing out of retired', () => {
    for (const event of versionEventNames) {
      const transition = versionTransitions.retired[event];
      if ('to' in transition) expect(transition.to).toEqual(['retired']);
    }
  });
});

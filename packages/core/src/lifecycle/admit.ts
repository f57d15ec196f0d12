import { Fault } from '../errors/fault.ts';
import type { KeyRecord, KeyState, KeyVersion } from './key-record.ts';
import { keyStateAt, versionStateAt } from './states.ts';
import { type KeyCommand, keyTransitions } from './transitions.ts';

const participles: Readonly<Record<KeyCommand, string>> = {
  rotate: 'rotated',
  finish: 'finished rotating',
  update: 'updated',
  suspend: 'suspended',
  resume: 'resumed',
  revoke: 'revoked',
};

/** Throws the fault that the table names, if the key as it is now does not admit the command. */
export function admit(key: KeyRecord, command: KeyCommand, nowMs: number): void {
  const state = keyStateAt(key, nowMs);
  const transition = keyTransitions[state][command];
  if ('to' in transition) return;
  throw new Fault(transition.refuse, { detail: detailOf(state, command), field: 'id' });
}

/** A key that is already what it should become is told apart from one that can't become it. */
function detailOf(state: KeyState, command: KeyCommand): string {
  const participle = participles[command];
  return state === participle
    ? `The key is already ${state}.`
    : `The key is ${state} and can not be ${participle}.`;
}

/** The next record: what changed, the graces that have run out written down, and the revision one higher. */
export function changeKey(key: KeyRecord, change: Partial<KeyRecord>, nowMs: number): KeyRecord {
  const next = { ...key, ...change };
  return { ...next, versions: settleVersions(next.versions, nowMs), revision: key.revision + 1 };
}

function settleVersions(versions: readonly KeyVersion[], nowMs: number): readonly KeyVersion[] {
  return versions.map((version) => {
    const state = versionStateAt(version, nowMs);
    return state === version.state ? version : { ...version, state };
  });
}

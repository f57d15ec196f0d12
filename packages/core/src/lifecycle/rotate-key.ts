import { assert } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import { graceDefaultSeconds, versionsKeptMax } from '../limits/limits.ts';
import { admit, changeKey } from './admit.ts';
import { checkInteger } from './check-fields.ts';
import type { KeyRecord, KeyspaceRecord, KeyVersion } from './key-record.ts';
import { type KeyTraits, noTraits, withProofs } from './key-traits.ts';
import { mintVersion } from './mint-version.ts';
import { effectiveExpiryMs, graceVersionAt, versionStateAt } from './states.ts';
import { versionTransitions } from './transitions.ts';
import { refusalToFinish, type UseEvidence } from './use-evidence.ts';
import { checkNewProof, type NewProof, proofsAfter } from './version-proof.ts';

export interface RotateKey {
  /** SHA-256 of the new key string, 32 bytes. */
  readonly fingerprint: Uint8Array;
  /** How long the present version goes on working; 0: it ends at once. Absent: the default, or the keyspace's maximum if that is shorter. */
  readonly graceSeconds?: number | undefined;
  /** End a version that is still in grace from an earlier rotation. Without it, that refuses the rotation. */
  readonly cut?: boolean | undefined;
  readonly ownerKeysNotBeforeMs?: number | null | undefined;
  /** What the new version signs requests with. */
  readonly proof?: NewProof | undefined;
}

/**
 * Mints version n+1 and puts version n in grace, which ends with the grace or with the key, whichever is first.
 * The new version works from the same revision on, so at no instant does none.
 */
export function rotateKey(
  key: KeyRecord,
  keyspace: KeyspaceRecord,
  wish: RotateKey,
  nowMs: number,
): KeyRecord {
  assert(keyspace.id === key.keyspaceId, "a key is rotated under its own keyspace's policy");
  admit(key, 'rotate', nowMs);
  checkNewProof(keyspace, wish.proof);
  const graceMs = resolveGraceSeconds(wish.graceSeconds, keyspace) * 1000;
  const newest = key.versions.at(-1);
  assert(newest !== undefined, 'a key has at least one version');
  assert(
    !key.versions.some((version) => equalBytes(version.fingerprint, wish.fingerprint)),
    'a new version has a fingerprint of its own',
  );
  const older = key.versions.map((version) =>
    makeWay(version, { expiresAtMs: key.expiresAtMs, graceMs, cut: wish.cut === true, nowMs }),
  );
  const minted = mintVersion({
    number: newest.number + 1,
    fingerprint: wish.fingerprint,
    keyspace,
    ownerKeysNotBeforeMs: wish.ownerKeysNotBeforeMs,
    nowMs,
  });
  const proofs = proofsAfter(key.traits.proofs, { version: minted.number, proof: wish.proof });
  const versions = [...older, minted].slice(-versionsKeptMax);
  return changeKey(key, { versions, traits: withProofs(withoutAsking(key.traits), proofs) }, nowMs);
}

/** Whoever asked its holder to renew the key has what it asked for. */
function withoutAsking(traits: KeyTraits): KeyTraits {
  if (traits.renewAfterMs === undefined) return traits;
  const { renewAfterMs: _asked, ...rest } = traits;
  return Object.keys(rest).length === 0 ? noTraits : rest;
}

export interface FinishRotation {
  readonly force: boolean;
  readonly evidence: UseEvidence;
}

/** Ends the grace of the old version now. Refused unless the evidence says that nobody needs it, or forced. */
export function finishRotation(key: KeyRecord, wish: FinishRotation, nowMs: number): KeyRecord {
  admit(key, 'finish', nowMs);
  const finished = graceVersionAt(key, nowMs);
  if (finished === undefined) {
    throw new Fault('not_rotating', { detail: 'No version of the key is in grace.', field: 'id' });
  }
  const refusal = wish.force ? undefined : refusalToFinish(key, wish.evidence, nowMs);
  if (refusal !== undefined) throw refusal;
  const versions = key.versions.map((version) => (version === finished ? retire(version, nowMs) : version));
  return changeKey(key, { versions }, nowMs);
}

interface Rotation {
  readonly expiresAtMs: number | null;
  readonly graceMs: number;
  readonly cut: boolean;
  readonly nowMs: number;
}

/** What becomes of an older version when a new one is minted. */
function makeWay(version: KeyVersion, rotation: Rotation): KeyVersion {
  const { nowMs } = rotation;
  const state = versionStateAt(version, nowMs);
  const ends = state === 'grace' ? rotation.cut : rotation.graceMs === 0;
  const transition = versionTransitions[state][ends ? 'cut' : 'supersede'];
  if ('refuse' in transition) {
    throw new Fault(transition.refuse, {
      detail: `Version ${version.number} is still in grace; two versions at most work at once.`,
      field: '/cut',
      expected: 'true, to end that version now',
    });
  }
  if (state === 'retired') return version;
  if (transition.to.includes('retired')) return retire(version, nowMs);
  const endOfGrace = { retiresAtMs: nowMs + rotation.graceMs };
  return { ...version, state: 'grace', retiresAtMs: effectiveExpiryMs(rotation, endOfGrace) };
}

function retire(version: KeyVersion, nowMs: number): KeyVersion {
  return { ...version, state: 'retired', retiresAtMs: nowMs };
}

function resolveGraceSeconds(graceSeconds: number | undefined, keyspace: KeyspaceRecord): number {
  const { maxGraceSeconds } = keyspace;
  if (graceSeconds === undefined) return Math.min(graceDefaultSeconds, maxGraceSeconds);
  checkInteger(graceSeconds, '/grace_seconds', { min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'seconds' });
  if (graceSeconds <= maxGraceSeconds) return graceSeconds;
  throw new Fault('grace_too_long', {
    detail: 'The keyspace does not allow two versions to overlap that long.',
    field: '/grace_seconds',
    expected: `0 to ${maxGraceSeconds} seconds`,
  });
}

function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

import { assert } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import { renewAskAgainMs, successorUnprovenMs } from '../limits/limits.ts';
import { admit, changeKey } from './admit.ts';
import type { KeyRecord, KeyspaceRecord, KeyVersion } from './key-record.ts';
import { withProofs } from './key-traits.ts';
import { isBuiltinKeyspace } from './keyspace.ts';
import { mintVersion } from './mint-version.ts';
import { type RenewWindow, renewWindowOf } from './renew-window.ts';
import { rotateKey } from './rotate-key.ts';
import { graceVersionAt } from './states.ts';
import { checkNewProof, type NewProof, proofsAfter } from './version-proof.ts';

/*
 * A rotation that the holder of the key asks for, by one of its versions. What it may do besides a rotation is live
 * on; what it may not is choose when.
 *
 * By the newest version: within its window it makes the next one, and the key lives as long again as it was given.
 *
 * By the version in grace: the holder asked before, and was stopped before it kept the answer. If the version that
 * was made for it has not been used, that one gets another secret and keeps its number: nobody has what is cut
 * off, and no third version is left behind however often it happens. If it has been used, somebody holds it, and the
 * request is refused: either another instance of the holder renewed, or a thief did, and the one who still has the
 * older version learns of it while that one can revoke the key. A version that a manager made is never taken away so.
 */

export interface RenewKey {
  /** SHA-256 of the new key string, 32 bytes. */
  readonly fingerprint: Uint8Array;
  /** The version by which the holder asks; it works now. */
  readonly number: number;
  /** What is known of the newest version's use, where `number` is an older one; absent: nothing is. */
  readonly successor?: SuccessorUse | undefined;
  readonly ownerKeysNotBeforeMs?: number | null | undefined;
  /** What the version that is made signs requests with. */
  readonly proof?: NewProof | undefined;
}

export interface SuccessorUse {
  readonly used: boolean;
  /** Until when a verifier that is not heard of may have accepted keys; null: all are heard of. */
  readonly unheardUntilMs: number | null;
}

export function renewKey(key: KeyRecord, keyspace: KeyspaceRecord, wish: RenewKey, nowMs: number): KeyRecord {
  admit(key, 'rotate', nowMs);
  const newest = newestOf(key);
  const renewed =
    wish.number === newest.number
      ? renewNewest(key, keyspace, wish, nowMs)
      : replaceSuccessor(key, keyspace, wish, nowMs);
  const lifeMs = lifeMsOf(key);
  const { renewAfterMs: _asked, ...traits } = renewed.traits;
  return {
    ...renewed,
    expiresAtMs: renewedExpiryMs(renewed, keyspace, lifeMs, nowMs),
    traits: { ...traits, renewed: { number: newestOf(renewed).number, lifeMs } },
  };
}

/** When the newest version may be renewed by its holder; null: not before somebody asks for it. */
export function renewWindowOfKey(key: KeyRecord): RenewWindow | null {
  const { number, mintedAtMs } = newestOf(key);
  const { id: keyId, expiresAtMs, traits } = key;
  return renewWindowOf({
    keyId,
    number,
    mintedAtMs,
    expiresAtMs,
    askedFromMs: traits.renewAfterMs ?? null,
  });
}

function renewNewest(key: KeyRecord, keyspace: KeyspaceRecord, wish: RenewKey, nowMs: number): KeyRecord {
  const opensMs = renewWindowOfKey(key)?.opensMs ?? null;
  if (opensMs === null || nowMs < opensMs) throw tooEarly(opensMs, nowMs);
  const waitsForMs = graceToWaitFor(key, nowMs);
  if (waitsForMs !== undefined) throw tooEarly(waitsForMs, nowMs);
  const { fingerprint, ownerKeysNotBeforeMs, proof } = wish;
  return rotateKey(key, keyspace, { fingerprint, ownerKeysNotBeforeMs, proof, cut: true }, nowMs);
}

/**
 * An older version that is still in grace may be in use somewhere, so the renewal waits for its end; but not until
 * more than half of what is left of the key is gone, for a key that ends is the worse outage.
 */
function graceToWaitFor(key: KeyRecord, nowMs: number): number | undefined {
  const retiresAtMs = graceVersionAt(key, nowMs)?.retiresAtMs;
  if (retiresAtMs === undefined || retiresAtMs === null) return undefined;
  if (key.expiresAtMs !== null && retiresAtMs > nowMs + (key.expiresAtMs - nowMs) / 2) return undefined;
  return retiresAtMs;
}

function replaceSuccessor(
  key: KeyRecord,
  keyspace: KeyspaceRecord,
  wish: RenewKey,
  nowMs: number,
): KeyRecord {
  const asking = graceVersionAt(key, nowMs);
  assert(asking?.number === wish.number, 'a holder asks by a version that works');
  const successor = newestOf(key);
  const { fingerprint, ownerKeysNotBeforeMs, successor: use } = wish;
  if (key.traits.renewed?.number !== successor.number || use?.used === true) throw superseded(asking);
  const unprovenUntilMs = successor.mintedAtMs + successorUnprovenMs;
  if (nowMs < unprovenUntilMs) throw tooEarly(unprovenUntilMs, nowMs);
  const isUnheard = use === undefined || (use.unheardUntilMs ?? 0) > successor.mintedAtMs;
  if (isUnheard) throw tooEarly(nowMs + successorUnprovenMs, nowMs);
  const { number } = successor;
  const minted = mintVersion({ number, fingerprint, keyspace, ownerKeysNotBeforeMs, nowMs });
  const versions = key.versions.map((version) => (version === successor ? minted : version));
  checkNewProof(keyspace, wish.proof);
  const proofs = proofsAfter(key.traits.proofs, { version: number, proof: wish.proof });
  return changeKey(key, { versions, traits: withProofs(key.traits, proofs) }, nowMs);
}

/** As long as the key was given at first; null: it has an end that somebody named, or none. */
function lifeMsOf(key: KeyRecord): number | null {
  const { expiresAtMs, createdAtMs, traits } = key;
  if (expiresAtMs === null || traits.endsFixed === true) return null;
  return traits.renewed?.lifeMs ?? expiresAtMs - createdAtMs;
}

/**
 * A management key renews its secret and not its end: for how long a manager may act is another manager's to say.
 * Never earlier than it was: what was granted stays granted.
 */
function renewedExpiryMs(
  key: KeyRecord,
  keyspace: KeyspaceRecord,
  lifeMs: number | null,
  nowMs: number,
): number | null {
  const { expiresAtMs } = key;
  if (expiresAtMs === null || lifeMs === null || isBuiltinKeyspace(keyspace)) return expiresAtMs;
  const { maxTtlSeconds } = keyspace;
  const mostMs = maxTtlSeconds === null ? Number.POSITIVE_INFINITY : nowMs + maxTtlSeconds * 1000;
  return Math.max(expiresAtMs, Math.min(nowMs + lifeMs, mostMs));
}

function tooEarly(opensMs: number | null, nowMs: number): Fault {
  if (opensMs === null) {
    return new Fault('renew_too_early', {
      detail: 'The key has no end, and nobody has asked for its renewal.',
      retryAfterMs: renewAskAgainMs,
      extra: { renew_after: null },
    });
  }
  return new Fault('renew_too_early', {
    detail: 'The key can not be renewed yet.',
    expected: 'a request after renew_after',
    retryAfterMs: opensMs - nowMs,
    extra: { renew_after: new Date(opensMs).toISOString() },
  });
}

function superseded(asking: KeyVersion): Fault {
  return new Fault('version_superseded', {
    detail: `Version ${asking.number} was replaced by one that somebody holds. If that was not you, revoke the key.`,
    expected: 'the newest version of the key',
    extra: { version: asking.number },
  });
}

function newestOf(key: KeyRecord): KeyVersion {
  const newest = key.versions.at(-1);
  assert(newest !== undefined, 'a key has at least one version');
  return newest;
}

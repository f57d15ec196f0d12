import { judge, newStanding } from '../verdict/judge.ts';
import type { VerdictCode } from '../verdict/verdict.ts';
import type { KeyRecord, KeyspaceRecord, OwnerRecord } from './key-record.ts';
import { effectiveExpiryMs } from './states.ts';

/** A key with what its life hangs on, as they stand where a change is decided. */
export interface HeldKey {
  readonly key: KeyRecord;
  readonly owner: Pick<OwnerRecord, 'state' | 'keysNotBeforeMs'>;
  readonly keyspace: Pick<KeyspaceRecord, 'state' | 'keysNotBeforeMs'>;
}

/**
 * What a verifier would say of this version, asked of the records themselves: a holder acts by its key, so the key is
 * judged again where its change is decided. Whether a parent was ended is the verifier's to know. A version that
 * the record has dropped is as good as unknown.
 */
export function judgeHolder(held: HeldKey, number: number, nowMs: number): VerdictCode {
  const { key, owner, keyspace } = held;
  const version = key.versions.find((each) => each.number === number);
  if (version === undefined) return 'unknown';
  const endMs = effectiveExpiryMs(key, version) ?? Number.POSITIVE_INFINITY;
  const standing = {
    ...newStanding(),
    keyspaceMatches: true,
    keyState: key.state,
    versionState: version.state,
    versionRetiresAtMs: endMs,
    mintedAtMs: version.mintedAtMs,
    expiresAtMs: endMs,
    notBeforeMs: key.notBeforeMs ?? Number.NEGATIVE_INFINITY,
    ownerSuspended: owner.state === 'suspended',
    ownerKeysNotBeforeMs: owner.keysNotBeforeMs ?? Number.NEGATIVE_INFINITY,
    keyspaceSuspended: keyspace.state === 'suspended',
    keyspaceKeysNotBeforeMs: keyspace.keysNotBeforeMs ?? Number.NEGATIVE_INFINITY,
    scopesCovered: true,
    // How it was presented is the verifier's to know, too.
    lacksSignature: false,
    parentRefusal: 'none' as const,
    isEnrollment: key.traits.enrollment !== undefined,
  };
  return judge(standing, nowMs, nowMs);
}

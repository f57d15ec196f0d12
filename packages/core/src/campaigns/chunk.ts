import type { KeyId } from '../ids/ids.ts';
import { askToRenew } from '../lifecycle/ask-to-renew.ts';
import type { KeyRecord } from '../lifecycle/key-record.ts';
import { revokeKey } from '../lifecycle/revoke-key.ts';
import { finishRotation } from '../lifecycle/rotate-key.ts';
import { graceVersionAt, keyStateAt } from '../lifecycle/states.ts';
import type { Campaign } from './campaign.ts';
import { selects } from './selector.ts';

/*
 * How far a campaign has come in one shard, and what it does to the next few keys there. Both are written in one
 * transaction. A chunk names the place that it goes on from; where the journal stands elsewhere, another process was
 * faster, or this one is late, and nothing is done: so no key is taken twice, and none is left out.
 */

export interface ShardProgress {
  /** Index into `campaignStages`; the one after the last is the deadline's policy. */
  readonly stage: number;
  readonly isDone: boolean;
  /** Index into the selector's keyspaces, and the last key of it that was worked on. */
  readonly keyspaceAt: number;
  readonly after: KeyId | null;
  readonly taken: number;
  readonly skipped: number;
  /** Of those skipped, for a suspended owner or keyspace. */
  readonly suspended: number;
  readonly enforced: number;
}

export const noProgress: ShardProgress = Object.freeze({
  stage: 0,
  isDone: false,
  keyspaceAt: 0,
  after: null,
  taken: 0,
  skipped: 0,
  suspended: 0,
  enforced: 0,
});

/** The progress as the given stage begins with it; a stage that has begun goes on. */
export function progressIn(progress: ShardProgress, stage: number): ShardProgress {
  if (progress.stage >= stage) return progress;
  return { ...progress, stage, isDone: false, keyspaceAt: 0, after: null };
}

export function isSamePlace(one: ShardProgress, other: ShardProgress): boolean {
  return (
    one.stage === other.stage &&
    one.isDone === other.isDone &&
    one.keyspaceAt === other.keyspaceAt &&
    one.after === other.after
  );
}

export interface KeyOutcome {
  readonly event: 'key.renew_requested' | 'key.revoked' | 'key.retired';
  readonly after: KeyRecord;
}

export interface ChunkKey {
  /** As the watermarks leave it. */
  readonly key: KeyRecord;
  /** 0 to 1: where in the window its holder is asked to renew. */
  readonly spread: number;
  /** False where the one who began the campaign may not touch it. */
  readonly isAllowed: boolean;
  /** Is its owner or its keyspace suspended? */
  readonly isHeldUp: boolean;
}

/**
 * What the campaign does to one key; undefined: nothing. `suspended`: nothing, because its holder is refused and could not
 * renew it; asked all the same, it would be waited for until the deadline, and then be ended by its policy. A revocation
 * takes it as any other.
 */
export function takeKey(
  campaign: Campaign,
  chunk: ChunkKey,
  nowMs: number,
): KeyOutcome | 'suspended' | undefined {
  const { key, spread, isAllowed, isHeldUp } = chunk;
  if (!isAllowed || !selects(campaign.selector, key, nowMs)) return undefined;
  if (campaign.kind === 'revoke') {
    const reason = campaign.reason ?? `campaign ${campaign.id}`;
    return { event: 'key.revoked', after: revokeKey(key, { reason }, nowMs) };
  }
  if (key.traits.campaign === campaign.id) return undefined;
  if (isHeldUp) return 'suspended';
  const renewAfterMs = nowMs + Math.floor(spread * campaign.windowMs);
  return {
    event: 'key.renew_requested',
    after: askToRenew(key, { renewAfterMs, campaign: campaign.id }, nowMs),
  };
}

/** What the policy of the deadline does to a key that was asked; undefined: nothing. */
export function enforceOn(
  campaign: Pick<Campaign, 'id' | 'onDeadline'>,
  key: KeyRecord,
  nowMs: number,
): KeyOutcome | undefined {
  if (key.traits.campaign !== campaign.id) return undefined;
  const state = keyStateAt(key, nowMs);
  if (state === 'revoked' || state === 'expired') return undefined;
  const isRenewed = key.traits.renewAfterMs === undefined;
  if (campaign.onDeadline === 'revoke' && !isRenewed) {
    const reason = `not renewed by the deadline of campaign ${campaign.id}`;
    return { event: 'key.revoked', after: revokeKey(key, { reason }, nowMs) };
  }
  if (campaign.onDeadline === 'cut_old' && isRenewed && graceVersionAt(key, nowMs) !== undefined) {
    // The deadline was told to whoever set it: no evidence of use is asked for.
    const evidence = { uses: [], unheard: null, windowMs: 0 };
    return { event: 'key.retired', after: finishRotation(key, { force: true, evidence }, nowMs) };
  }
  return undefined;
}

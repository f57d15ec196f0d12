import { Fault } from '../errors/fault.ts';
import type { CampaignId, KeyId, KeyspaceId, OwnerId, WorkspaceId } from '../ids/ids.ts';
import { type CampaignEvent, type CampaignState, campaignTransitions } from './transitions.ts';

/*
 * A bulk rotation or revocation. What it was told (terms) never changes once it has begun; where it stands does. How far
 * it has come is kept a shard (`chunk.ts`), in the transaction of the keys themselves: a process that is killed between
 * two chunks has done the one and not begun the other.
 *
 * Phases:  select (in stages, a sample first) → wait (for holders) → enforce (the deadline's policy)
 */

export const campaignKinds = ['rotate', 'revoke'] as const;
export type CampaignKind = (typeof campaignKinds)[number];

/** What becomes of what is left at the deadline; `cut_old` ends the old versions of what was renewed. */
export const deadlinePolicies = ['leave', 'revoke', 'cut_old'] as const;
export type DeadlinePolicy = (typeof deadlinePolicies)[number];

export const selectableStates = ['pending', 'active', 'suspended'] as const;
export type SelectableState = (typeof selectableStates)[number];

export interface KeySelector {
  /** As they were when it began, never empty. */
  readonly keyspaceIds: readonly KeyspaceId[];
  readonly ownerId: OwnerId | null;
  /** Keys that hold all of these, by name or by wildcard. */
  readonly scopes: readonly string[];
  /** Exclusive; at the latest when the campaign began, so that its keys can't grow in number. */
  readonly issuedBeforeMs: number;
  /** Null: any that is not at its end. */
  readonly state: SelectableState | null;
}

export interface CampaignPace {
  readonly keysPerSecond: number;
  /** Slower while verifications take longer than this. */
  readonly verifyP99Ms: number;
  /** The share of verifications that may fail by a fault of the server, 0 to 1. */
  readonly errorBudget: number;
}

export interface CampaignTerms {
  readonly kind: CampaignKind;
  readonly name: string;
  readonly reason: string | null;
  readonly selector: KeySelector;
  /** Holders are asked to renew at random instants within this of being asked. */
  readonly windowMs: number;
  readonly deadlineMs: number;
  readonly onDeadline: DeadlinePolicy;
  readonly pace: CampaignPace;
  /** How long the sample is watched before more is taken. */
  readonly holdMs: number;
}

export type CampaignPhase = 'select' | 'wait' | 'enforce';
export type ThrottleReason = 'verify_p99' | 'server_load' | 'error_budget';

export interface CampaignTotals {
  /** Asked to renew, or revoked. */
  readonly taken: number;
  readonly skipped: number;
  /** Of those skipped: could not be renewed, because the owner or the keyspace is suspended. */
  readonly suspended: number;
  /** Of those asked: renewed since. */
  readonly renewed: number;
  /** Of those asked: neither renewed nor at their end. */
  readonly open: number;
  /** By the policy of the deadline. */
  readonly enforced: number;
}

export const noTotals: CampaignTotals = Object.freeze({
  taken: 0,
  skipped: 0,
  suspended: 0,
  renewed: 0,
  open: 0,
  enforced: 0,
});

export interface Campaign extends CampaignTerms {
  readonly id: CampaignId;
  readonly workspaceId: WorkspaceId;
  readonly state: CampaignState;
  readonly phase: CampaignPhase;
  /** Index into `campaignStages`. */
  readonly stage: number;
  /** The stage is done and is being watched until then; null: it is not done. */
  readonly holdUntilMs: number | null;
  readonly pausedBecause: 'asked' | 'error_budget' | null;
  /** Keys that the selector found at the start; with `selectedExact` false there are more. */
  readonly selected: number;
  readonly selectedExact: boolean;
  readonly totals: CampaignTotals;
  /** Keys a second that it goes at by now, and why that is less than it was told to. */
  readonly rate: number;
  readonly throttledBy: ThrottleReason | null;
  /** Who began it, and what that key held: management keys beyond it are left out. */
  readonly starterId: KeyId;
  readonly starterScopes: readonly string[];
  /** The process that works on it, and until when nobody else does. */
  readonly driver: string | null;
  readonly driverUntilMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

/** The sample grows: shares of 65,536 that each stage ends with. */
export const campaignStages = [
  { name: 'one_percent', untilRank: 656 },
  { name: 'ten_percent', untilRank: 6_554 },
  { name: 'rest', untilRank: 65_536 },
] as const;

export interface RankRange {
  readonly from: number;
  readonly until: number;
}

export function stageRanks(stage: number): RankRange {
  const until = campaignStages[stage]?.untilRank ?? 65_536;
  return { from: campaignStages[stage - 1]?.untilRank ?? 0, until };
}

/** The state after the event, or the fault with which the table refuses it. */
export function nextCampaignState(
  campaign: Pick<Campaign, 'state' | 'phase'>,
  event: CampaignEvent,
): CampaignState {
  const transition = campaignTransitions[campaign.state][event];
  if ('refuse' in transition) {
    throw new Fault(transition.refuse, { detail: `The campaign is ${campaign.state}.`, field: 'id' });
  }
  const [only, other] = transition.to;
  if (other === undefined) return only ?? campaign.state;
  return campaign.phase === 'select' ? 'running' : 'finishing';
}

export function pauseCampaign(campaign: Campaign): Campaign {
  return { ...campaign, state: nextCampaignState(campaign, 'pause'), pausedBecause: 'asked' };
}

/** Held by the campaign itself, because what it sees of the verifications is over its error budget. */
export function tripCampaign(campaign: Campaign): Campaign {
  return { ...campaign, state: nextCampaignState(campaign, 'trip'), pausedBecause: 'error_budget' };
}

/** A stage that was being watched when it was tripped is watched anew. */
export function resumeCampaign(campaign: Campaign, nowMs: number): Campaign {
  const holdUntilMs = campaign.holdUntilMs === null ? null : nowMs + campaign.holdMs;
  return { ...campaign, state: nextCampaignState(campaign, 'resume'), pausedBecause: null, holdUntilMs };
}

export function abortCampaign(campaign: Campaign, nowMs: number): Campaign {
  return { ...campaign, state: nextCampaignState(campaign, 'abort'), pausedBecause: null, endedAtMs: nowMs };
}

export function finishCampaign(campaign: Campaign, nowMs: number): Campaign {
  return { ...campaign, state: nextCampaignState(campaign, 'finish'), endedAtMs: nowMs };
}

/** All keys of the stage are done: it is watched, or the next one begins, or what follows the last. */
export function completeStage(campaign: Campaign, nowMs: number): Campaign {
  const isLast = campaign.stage >= campaignStages.length - 1;
  if (!isLast) {
    // A stage that took nothing has nothing to show.
    if (campaign.holdMs === 0 || campaign.totals.taken === 0) return nextStage(campaign);
    return { ...campaign, holdUntilMs: nowMs + campaign.holdMs };
  }
  if (campaign.kind === 'revoke') return finishCampaign(campaign, nowMs);
  return { ...campaign, state: nextCampaignState(campaign, 'complete'), phase: 'wait' };
}

export function nextStage(campaign: Campaign): Campaign {
  return { ...campaign, stage: campaign.stage + 1, holdUntilMs: null };
}

/** What the wait has come to. */
export function afterWaiting(campaign: Campaign, nowMs: number): Campaign {
  if (campaign.totals.open === 0 && campaign.onDeadline !== 'cut_old') return finishCampaign(campaign, nowMs);
  if (nowMs < campaign.deadlineMs) return campaign;
  if (campaign.onDeadline === 'leave') return finishCampaign(campaign, nowMs);
  return { ...campaign, phase: 'enforce' };
}

export function isEnded({ state }: Pick<Campaign, 'state'>): boolean {
  return state === 'finished' || state === 'aborted';
}

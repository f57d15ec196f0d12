import { type Campaign, campaignStages } from '@keyswarm/core';
import type { CampaignReply } from '../schemas/campaigns.ts';
import { nullableTimeText, timeText } from './time.ts';

/* From a campaign to the wire. */

export function campaignView(campaign: Campaign, nowMs: number): CampaignReply {
  const { selector, pace, totals } = campaign;
  const asksHolders = campaign.kind === 'rotate';
  return {
    id: campaign.id,
    kind: campaign.kind,
    name: campaign.name,
    reason: campaign.reason,
    state: campaign.state,
    phase: campaign.phase,
    paused_because: campaign.pausedBecause,
    selector: {
      keyspaces: selector.keyspaceIds,
      owner: selector.ownerId,
      scopes: selector.scopes,
      issued_before: timeText(selector.issuedBeforeMs),
      state: selector.state,
    },
    window_seconds: campaign.windowMs / 1000,
    deadline: asksHolders ? timeText(campaign.deadlineMs) : null,
    on_deadline: asksHolders ? campaign.onDeadline : null,
    canary: {
      stage: campaignStages[campaign.stage]?.name ?? 'rest',
      hold_seconds: campaign.holdMs / 1000,
      hold_until: nullableTimeText(campaign.holdUntilMs),
    },
    pace: {
      keys_per_second: pace.keysPerSecond,
      verify_p99_ms: pace.verifyP99Ms,
      error_budget: pace.errorBudget,
      now: campaign.rate,
      throttled_by: campaign.throttledBy,
    },
    progress: {
      selected: campaign.selected,
      selected_exact: campaign.selectedExact,
      taken: totals.taken,
      skipped: totals.skipped,
      skipped_suspended: totals.suspended,
      renewed: totals.renewed,
      open: totals.open,
      enforced: totals.enforced,
    },
    eta: nullableTimeText(etaMs(campaign, nowMs)),
    started_by: campaign.starterId,
    started_at: timeText(campaign.startedAtMs),
    ended_at: nullableTimeText(campaign.endedAtMs),
  };
}

/** When it will be done at the pace it goes at; while it waits for holders, at the latest then. Null: nobody can say. */
export function etaMs(campaign: Campaign, nowMs: number): number | null {
  const { state, phase, selected, selectedExact, totals, rate, stage, holdMs, holdUntilMs } = campaign;
  if (state !== 'running' && state !== 'finishing') return null;
  if (phase === 'wait') return Math.max(nowMs, campaign.deadlineMs);
  if (phase === 'enforce' || !selectedExact || rate <= 0) return null;
  const left = Math.max(0, selected - totals.taken - totals.skipped);
  const holds = holdMs * Math.max(0, campaignStages.length - 2 - stage + (holdUntilMs === null ? 1 : 0));
  const hold = holdUntilMs === null ? 0 : Math.max(0, holdUntilMs - nowMs);
  return Math.round(nowMs + (left / rate) * 1000 + holds + hold);
}

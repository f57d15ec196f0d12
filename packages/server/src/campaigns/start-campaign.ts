import {
  type Campaign,
  type CampaignId,
  type CampaignTerms,
  Fault,
  type FeedPosition,
  mayMeet,
  noTotals,
  shardOfId,
  type WorkspaceId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import { requireScope } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { LaneView } from '../lanes/lane-port.ts';
import { campaignsActiveMax } from '../limits.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import {
  bodyOfCampaign,
  bodyOfRoster,
  newCampaignId,
  put,
  rosterIdOf,
  rosterOf,
} from './campaign-documents.ts';
import { type CampaignWish, checkTerms } from './campaign-terms.ts';
import { type Counted, checkExtent, countSelected, resolveSelector } from './select-keys.ts';

export interface PlacedCampaign {
  readonly campaign: Campaign;
  readonly at: FeedPosition;
}

/** What a campaign would take, and nothing done. */
export async function dryRun(ports: UseCasePorts, caller: Caller, wish: CampaignWish): Promise<Counted> {
  requireScope(caller, 'campaigns:write');
  const nowMs = await storeNow(ports, caller.workspaceId);
  const selector = await resolveSelector(ports, caller, wish, nowMs);
  checkTerms(wish, nowMs);
  return await countSelected(ports, selector, nowMs);
}

/**
 * Begins a campaign: from the commit on, whichever server is free works on it. Refused while another one that has not
 * ended could meet the same keys. Rejected: to leave those keys out, since whoever starts the second believes that
 * they were asked by it, under its deadline.
 */
export async function startCampaign(
  ports: UseCasePorts,
  caller: Caller,
  wish: CampaignWish,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedCampaign> {
  requireScope(caller, 'campaigns:write');
  const { workspaceId } = caller;
  const id = newCampaignId(workspaceId, { nowMs: ports.clock.nowMs(), random: ports.random });
  const outlook = await lookAhead(ports, caller, wish).catch((fault: unknown) => ({ fault }));
  const rosterId = rosterIdOf(workspaceId);
  const ticket = idempotency?.ticket<Campaign>();
  const receipt = await ports.lanes.submit<Campaign>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { documents: [id, rosterId] },
    decide(view, nowMs) {
      // Within the write, so that a retry gets its reply though by now the selector would match nothing, or the deadline
      // has passed.
      if ('fault' in outlook) throw outlook.fault;
      const { selector, terms, counted } = outlook;
      const { issuedBeforeMs } = wish.selector;
      const whole = { ...selector, issuedBeforeMs: Math.min(issuedBeforeMs ?? nowMs + 1, nowMs + 1) };
      const roster = enterRoster(view, { id, workspaceId, selector: whole }, nowMs);
      const campaign = newCampaign({ ...terms, selector: whole }, { id, caller, counted, nowMs });
      const after = put(undefined, id, workspaceId, bodyOfCampaign(campaign), nowMs);
      const data = { actor: caller.keyId, kind: campaign.kind, name: campaign.name, selected: counted.count };
      return {
        changes: [{ kind: 'document', event: 'campaign.started', after, data }],
        documents: [roster],
        reply: campaign,
      };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { campaign: receipt.reply, at: placeOf(receipt) };
}

/** All that a campaign is begun by, as it is now. */
async function lookAhead(ports: UseCasePorts, caller: Caller, wish: CampaignWish) {
  const nowMs = await storeNow(ports, caller.workspaceId);
  const selector = await resolveSelector(ports, caller, wish, nowMs + 1);
  const terms = checkTerms(wish, nowMs);
  return { selector, terms, counted: await checkExtent(ports, selector, wish, nowMs + 1) };
}

/** The roster with this campaign in it, or the fault that names the one in its way. */
function enterRoster(
  view: LaneView,
  campaign: Pick<Campaign, 'id' | 'workspaceId' | 'selector'>,
  nowMs: number,
) {
  const { id, workspaceId, selector } = campaign;
  const rosterId = rosterIdOf(workspaceId);
  const document = view.document(rosterId);
  const present = rosterOf(document);
  const other = present.find((entry) => mayMeet(entry, selector));
  if (other !== undefined) {
    throw new Fault('campaign_overlap', {
      detail: `Campaign ${other.id} has not ended, and some of these keys could be its own.`,
      field: '/selector',
      expected: 'other keyspaces or another owner, or that one ended first',
      extra: { campaign: other.id },
    });
  }
  if (present.length >= campaignsActiveMax) {
    throw new Fault('campaign_overlap', {
      detail: `${present.length} campaigns are under way.`,
      field: '/selector',
      expected: `at most ${campaignsActiveMax} at once`,
    });
  }
  const { keyspaceIds, ownerId } = selector;
  return put(
    document,
    rosterId,
    workspaceId,
    bodyOfRoster([...present, { id, keyspaceIds, ownerId }]),
    nowMs,
  );
}

function newCampaign(
  terms: CampaignTerms,
  start: {
    readonly id: CampaignId;
    readonly caller: Caller;
    readonly counted: Counted;
    readonly nowMs: number;
  },
): Campaign {
  const { id, caller, counted, nowMs } = start;
  return {
    ...terms,
    id,
    workspaceId: caller.workspaceId,
    state: 'running',
    phase: 'select',
    stage: 0,
    holdUntilMs: null,
    pausedBecause: null,
    selected: counted.count,
    selectedExact: counted.isExact,
    totals: noTotals,
    rate: terms.pace.keysPerSecond,
    throttledBy: null,
    starterId: caller.keyId,
    starterScopes: caller.scopes,
    driver: null,
    driverUntilMs: 0,
    startedAtMs: nowMs,
    endedAtMs: null,
  };
}

/** By the store's clock, which dates keys; this process's own where the store does not say. */
async function storeNow({ leases, clock }: UseCasePorts, workspaceId: WorkspaceId): Promise<number> {
  const now = await leases.ofWorkspace(workspaceId).catch(() => undefined);
  return now?.nowMs ?? clock.nowMs();
}

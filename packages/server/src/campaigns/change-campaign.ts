import {
  abortCampaign,
  assert,
  type Campaign,
  type CampaignId,
  type DocumentRecord,
  isEnded,
  pauseCampaign,
  resumeCampaign,
  shardOfId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import { requireScope } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Change, LaneView } from '../lanes/lane-port.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { bodyOfCampaign, bodyOfRoster, campaignOf, put, rosterIdOf, rosterOf } from './campaign-documents.ts';
import { campaignNotFound } from './read-campaigns.ts';
import type { PlacedCampaign } from './start-campaign.ts';

/** What an operator can do to a campaign. A chunk that is being written meanwhile is still written. */
const commands = {
  pause: { event: 'campaign.paused', decide: (campaign: Campaign) => pauseCampaign(campaign) },
  resume: { event: 'campaign.resumed', decide: resumeCampaign },
  abort: { event: 'campaign.aborted', decide: abortCampaign },
} as const;
export type CampaignVerb = keyof typeof commands;

export async function changeCampaign(
  ports: UseCasePorts,
  caller: Caller,
  { id, verb }: { readonly id: CampaignId; readonly verb: CampaignVerb },
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedCampaign> {
  requireScope(caller, 'campaigns:write');
  const { workspaceId } = caller;
  const { event, decide } = commands[verb];
  const ticket = idempotency?.ticket<Campaign>();
  const rosterId = rosterIdOf(workspaceId);
  const shard = shardOfId(id, ports.shards);
  // An id of another workspace may be of another shard than this workspace's roster, and is not there either way.
  if (shard !== shardOfId(rosterId, ports.shards)) throw campaignNotFound();
  const receipt = await ports.lanes.submit<Campaign>({
    shard,
    weight: 1,
    actor: actorOf(caller),
    reads: { documents: [id, rosterId] },
    decide(view, nowMs) {
      const document = view.document(id);
      if (document === undefined || document.workspaceId !== workspaceId) throw campaignNotFound();
      const campaign = decide(campaignOf(document), nowMs);
      const data = { actor: caller.keyId };
      return { ...writeOf(view, { document, campaign, event, data }, nowMs), reply: campaign };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { campaign: receipt.reply, at: placeOf(receipt) };
}

export interface CampaignWrite {
  readonly document: DocumentRecord;
  readonly campaign: Campaign;
  /** Undefined: no event. */
  readonly event: Change['event'] | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The campaign after a change, and the roster without it once it has ended. The write reads both. */
export function writeOf(
  view: LaneView,
  { document, campaign, event, data }: CampaignWrite,
  nowMs: number,
): { readonly changes: readonly Change[]; readonly documents: readonly DocumentRecord[] } {
  const { id, workspaceId } = campaign;
  const after = put(document, id, workspaceId, bodyOfCampaign(campaign), nowMs);
  const changes: readonly Change[] = event === undefined ? [] : [{ kind: 'document', event, after, data }];
  const documents = event === undefined ? [after] : [];
  if (!isEnded(campaign)) return { changes, documents };
  const rosterId = rosterIdOf(workspaceId);
  const roster = view.document(rosterId);
  assert(roster !== undefined, 'a campaign that runs is in the roster');
  const left = rosterOf(roster).filter((entry) => entry.id !== id);
  return {
    changes,
    documents: [...documents, put(roster, rosterId, workspaceId, bodyOfRoster(left), nowMs)],
  };
}

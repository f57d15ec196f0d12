import { type Campaign, type CampaignId, type CampaignState, Fault } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { campaignOf } from './campaign-documents.ts';

export function campaignNotFound(): Fault {
  return new Fault('not_found', { detail: 'There is no such campaign here.', field: 'id' });
}

export async function getOneCampaign(ports: UseCasePorts, caller: Caller, id: CampaignId): Promise<Campaign> {
  requireScope(caller, 'campaigns:read');
  const document = await ports.reader.document(id);
  if (document === undefined || document.workspaceId !== caller.workspaceId) throw campaignNotFound();
  return campaignOf(document);
}

/** Ascending by id, which is by when they began. */
export async function listCampaigns(
  ports: UseCasePorts,
  caller: Caller,
  wish: {
    readonly state?: CampaignState | undefined;
    readonly after?: CampaignId | undefined;
    readonly limit: number;
  },
): Promise<{ readonly campaigns: readonly Campaign[]; readonly next: CampaignId | null }> {
  requireScope(caller, 'campaigns:read');
  const { workspaceId } = caller;
  const { limit, ...rest } = wish;
  const found = await ports.reader.documents({ kind: 'camp', workspaceId, ...rest, limit: limit + 1 });
  const campaigns = found.slice(0, limit).map(campaignOf);
  return { campaigns, next: found.length > limit ? (campaigns.at(-1)?.id ?? null) : null };
}

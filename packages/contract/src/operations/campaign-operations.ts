import {
  campaignChanged,
  campaignList,
  campaignParams,
  campaignReply,
  campaignStart,
  campaignStarted,
  campaignsQuery,
} from '../schemas/campaigns.ts';
import { operation } from './operation.ts';
import { routes } from './routes.ts';

/* Bulk rotations and revocations. */
export const campaignOperations = {
  startCampaign: operation(routes.startCampaign, {
    summary: 'Start a campaign',
    description:
      'Asks the holders of many keys to renew them, or revokes many keys: a sample first, at a pace that yields to verifications. Needs `keys:rotate` or `keys:revoke` in each keyspace as well. With `dry_run` it only counts.',
    scope: 'campaigns:write',
    perKeyspace: false,
    body: campaignStart,
    reply: campaignStarted,
    faults: ['campaign_overlap', 'confirm_required', 'nothing_selected', 'invalid_scope', 'not_found'],
  }),
  listCampaigns: operation(routes.listCampaigns, {
    summary: 'List campaigns',
    description: 'In the order in which they began.',
    scope: 'campaigns:read',
    perKeyspace: false,
    query: campaignsQuery,
    reply: campaignList,
    faults: ['store_unavailable'],
  }),
  getCampaign: operation(routes.getCampaign, {
    summary: 'Show a campaign',
    description: 'How far it is, how fast it goes and why, and when it will be done.',
    scope: 'campaigns:read',
    perKeyspace: false,
    params: campaignParams,
    reply: campaignReply,
    faults: ['store_unavailable'],
  }),
  pauseCampaign: operation(routes.pauseCampaign, {
    summary: 'Pause a campaign',
    description: 'What was done stays done. A chunk that is under way is still written.',
    scope: 'campaigns:write',
    perKeyspace: false,
    params: campaignParams,
    reply: campaignChanged,
    faults: ['already_paused', 'campaign_ended'],
  }),
  resumeCampaign: operation(routes.resumeCampaign, {
    summary: 'Resume a paused campaign',
    description: 'It goes on where it stood.',
    scope: 'campaigns:write',
    perKeyspace: false,
    params: campaignParams,
    reply: campaignChanged,
    faults: ['not_paused', 'campaign_ended'],
  }),
  abortCampaign: operation(routes.abortCampaign, {
    summary: 'Abort a campaign',
    description: 'For good. What was done stays done, and its deadline has no effect.',
    scope: 'campaigns:write',
    perKeyspace: false,
    params: campaignParams,
    reply: campaignChanged,
    faults: ['campaign_ended'],
  }),
};

import {
  type CampaignStart,
  campaignView,
  decodeIdCursor,
  encodeIdCursor,
  optionalTimeMsOf,
  pageLimitOf,
  placedView,
} from '@keyswarm/contract';
import type { CampaignId, OwnerId } from '@keyswarm/core';
import type { CampaignWish } from '../../campaigns/campaign-terms.ts';
import { type CampaignVerb, changeCampaign } from '../../campaigns/change-campaign.ts';
import { getOneCampaign, listCampaigns } from '../../campaigns/read-campaigns.ts';
import { dryRun, startCampaign } from '../../campaigns/start-campaign.ts';
import type { Call, HandlerServices, Handlers } from '../handler.ts';

type CampaignOperation =
  | 'startCampaign'
  | 'listCampaigns'
  | 'getCampaign'
  | 'pauseCampaign'
  | 'resumeCampaign'
  | 'abortCampaign';

/** Bulk rotations and revocations. */
export function campaignHandlers({ ports }: HandlerServices): Handlers<CampaignOperation> {
  const { clock } = ports;
  const change = (verb: CampaignVerb) => {
    return async ({ params, caller, idempotency }: Call<'pauseCampaign'>) => {
      const wish = { id: params.id as CampaignId, verb };
      const { campaign, at } = await changeCampaign(ports, caller, wish, idempotency);
      return placedView(campaignView(campaign, clock.nowMs()), at);
    };
  };
  return {
    async startCampaign({ body, caller, idempotency }) {
      const wish = wishOf(body);
      if (body.dry_run === true) {
        const { count, isExact } = await dryRun(ports, caller, wish);
        return { dry_run: true, selected: count, selected_exact: isExact };
      }
      const { campaign, at } = await startCampaign(ports, caller, wish, idempotency);
      const { selected, selectedExact } = campaign;
      const shown = campaignView(campaign, clock.nowMs());
      return placedView({ dry_run: false, selected, selected_exact: selectedExact, campaign: shown }, at);
    },

    async listCampaigns({ query, caller }) {
      const { campaigns, next } = await listCampaigns(ports, caller, {
        state: query.state,
        after: query.cursor === undefined ? undefined : decodeIdCursor('camp', query.cursor),
        limit: pageLimitOf(query.limit),
      });
      const nowMs = clock.nowMs();
      return {
        items: campaigns.map((campaign) => campaignView(campaign, nowMs)),
        next_cursor: next === null ? null : encodeIdCursor(next),
      };
    },

    async getCampaign({ params, caller }) {
      return campaignView(await getOneCampaign(ports, caller, params.id as CampaignId), clock.nowMs());
    },

    pauseCampaign: change('pause'),
    resumeCampaign: change('resume'),
    abortCampaign: change('abort'),
  };
}

function wishOf(body: CampaignStart): CampaignWish {
  const { selector, pace } = body;
  return {
    kind: body.kind,
    name: body.name,
    reason: body.reason,
    selector: {
      keyspace: selector.keyspace,
      all: selector.all,
      prefix: selector.prefix,
      ownerId: selector.owner as OwnerId | undefined,
      scopes: selector.scopes,
      issuedBeforeMs: optionalTimeMsOf(selector.issued_before, '/selector/issued_before'),
      state: selector.state,
    },
    confirm: body.confirm,
    windowSeconds: body.window_seconds,
    deadlineMs: optionalTimeMsOf(body.deadline, '/deadline'),
    onDeadline: body.on_deadline,
    pace: pace && {
      keysPerSecond: pace.keys_per_second,
      verifyP99Ms: pace.verify_p99_ms,
      errorBudget: pace.error_budget,
    },
    holdSeconds: body.canary?.hold_seconds,
  };
}

import type { BodyOf, QueryOf, ReplyOf } from '@keyswarm/contract';
import { type CallContext, type CallOptions, callOperation } from '../call/call-operation.ts';
import { type Listing, listingOf } from './paging.ts';

export type CampaignsQuery = Omit<QueryOf<'listCampaigns'>, 'limit'> & { readonly limit?: number };

/** `client.campaigns`. */
export interface Campaigns {
  /** Begins it, or only counts with `dry_run`. */
  start(campaign: BodyOf<'startCampaign'>, options?: CallOptions): Promise<ReplyOf<'startCampaign'>>;
  list(query?: CampaignsQuery, options?: CallOptions): Listing<ReplyOf<'getCampaign'>>;
  get(id: string, options?: CallOptions): Promise<ReplyOf<'getCampaign'>>;
  pause(id: string, options?: CallOptions): Promise<ReplyOf<'pauseCampaign'>>;
  resume(id: string, options?: CallOptions): Promise<ReplyOf<'resumeCampaign'>>;
  abort(id: string, options?: CallOptions): Promise<ReplyOf<'abortCampaign'>>;
}

export function campaignsOf(context: CallContext): Campaigns {
  return {
    start: (body, options) => callOperation(context, 'startCampaign', { body }, options),
    list({ limit, cursor, ...filter } = {}, options) {
      const query = limit === undefined ? filter : { ...filter, limit: String(limit) };
      return listingOf(
        'listCampaigns',
        (next) =>
          callOperation(
            context,
            'listCampaigns',
            { query: next === undefined ? query : { ...query, cursor: next } },
            options,
          ),
        cursor,
      );
    },
    get: (id, options) => callOperation(context, 'getCampaign', { params: { id } }, options),
    pause: (id, options) => callOperation(context, 'pauseCampaign', { params: { id } }, options),
    resume: (id, options) => callOperation(context, 'resumeCampaign', { params: { id } }, options),
    abort: (id, options) => callOperation(context, 'abortCampaign', { params: { id } }, options),
  };
}

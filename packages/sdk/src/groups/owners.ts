import type { OwnerRef, OwnerReply, QueryOf, ReplyOf } from '@keyswarm/contract';
import { type CallContext, type CallOptions, callOperation } from '../call/call-operation.ts';
import { type Listing, listingOf } from './paging.ts';

export type OwnersQuery = Omit<QueryOf<'listOwners'>, 'limit'> & { readonly limit?: number };

/** `client.owners`. */
export interface Owners {
  create(owner: OwnerRef, options?: CallOptions): Promise<OwnerReply>;
  list(query?: OwnersQuery, options?: CallOptions): Listing<OwnerReply>;
  get(id: string, options?: CallOptions): Promise<OwnerReply>;
  /** The owner that the caller's own system knows by this name, or undefined. */
  find(owner: OwnerRef, options?: CallOptions): Promise<OwnerReply | undefined>;
  suspend(id: string, options?: CallOptions): Promise<ReplyOf<'suspendOwner'>>;
  resume(id: string, options?: CallOptions): Promise<ReplyOf<'resumeOwner'>>;
  revokeKeys(id: string, options?: CallOptions): Promise<ReplyOf<'revokeOwnerKeys'>>;
}

export function ownersOf(context: CallContext): Owners {
  const list: Owners['list'] = ({ limit, cursor, ...filter } = {}, options) => {
    const query = limit === undefined ? filter : { ...filter, limit: String(limit) };
    return listingOf(
      'listOwners',
      (next) =>
        callOperation(
          context,
          'listOwners',
          { query: next === undefined ? query : { ...query, cursor: next } },
          options,
        ),
      cursor,
    );
  };
  return {
    create: (body, options) => callOperation(context, 'createOwner', { body }, options),
    list,
    get: (id, options) => callOperation(context, 'getOwner', { params: { id } }, options),
    find: async (owner, options) => (await list({ ...owner, limit: 1 }, options).page()).items[0],
    suspend: (id, options) => callOperation(context, 'suspendOwner', { params: { id } }, options),
    resume: (id, options) => callOperation(context, 'resumeOwner', { params: { id } }, options),
    revokeKeys: (id, options) => callOperation(context, 'revokeOwnerKeys', { params: { id } }, options),
  };
}

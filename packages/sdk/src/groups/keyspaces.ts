import type { BodyOf, KeyspaceReply, ReplyOf } from '@keyswarm/contract';
import { type CallContext, type CallOptions, callOperation } from '../call/call-operation.ts';
import { type Listing, listingOf } from './paging.ts';

export interface PageQuery {
  readonly cursor?: string;
  /** Items a page, 1 to 200. */
  readonly limit?: number;
}

/** `client.keyspaces`. A keyspace is named by its id or its name. */
export interface Keyspaces {
  create(keyspace: BodyOf<'createKeyspace'>, options?: CallOptions): Promise<KeyspaceReply>;
  list(query?: PageQuery, options?: CallOptions): Listing<KeyspaceReply>;
  get(idOrName: string, options?: CallOptions): Promise<KeyspaceReply>;
  update(idOrName: string, change: BodyOf<'updateKeyspace'>, options?: CallOptions): Promise<KeyspaceReply>;
  suspend(idOrName: string, options?: CallOptions): Promise<ReplyOf<'suspendKeyspace'>>;
  resume(idOrName: string, options?: CallOptions): Promise<ReplyOf<'resumeKeyspace'>>;
  /** Refuses for good every key it has now; keys issued afterwards work. */
  revokeKeys(idOrName: string, options?: CallOptions): Promise<ReplyOf<'revokeKeyspaceKeys'>>;
}

export function keyspacesOf(context: CallContext): Keyspaces {
  return {
    create: (body, options) => callOperation(context, 'createKeyspace', { body }, options),
    list({ limit, cursor } = {}, options) {
      const query = limit === undefined ? {} : { limit: String(limit) };
      return listingOf(
        'listKeyspaces',
        (next) =>
          callOperation(
            context,
            'listKeyspaces',
            { query: next === undefined ? query : { ...query, cursor: next } },
            options,
          ),
        cursor,
      );
    },
    get: (id, options) => callOperation(context, 'getKeyspace', { params: { id } }, options),
    update: (id, body, options) =>
      callOperation(context, 'updateKeyspace', { params: { id }, body }, options),
    suspend: (id, options) => callOperation(context, 'suspendKeyspace', { params: { id } }, options),
    resume: (id, options) => callOperation(context, 'resumeKeyspace', { params: { id } }, options),
    revokeKeys: (id, options) => callOperation(context, 'revokeKeyspaceKeys', { params: { id } }, options),
  };
}

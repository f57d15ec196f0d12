import type { BodyOf, OperationId, ParamsOf, QueryOf, ReplyOf } from '@keyswarm/contract';
import type { Caller } from '../access/caller.ts';
import type { Holder } from '../access/holder.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';

/** What every handler may use. */
export interface HandlerServices {
  readonly ports: UseCasePorts;
  readonly metrics: ServerMetrics;
}

/** One request, validated and authenticated. */
export interface Call<Id extends OperationId> {
  readonly params: ParamsOf<Id>;
  readonly query: QueryOf<Id>;
  readonly body: BodyOf<Id>;
  readonly caller: Caller;
  /** Present when the request came with an Idempotency-Key and the operation takes one. */
  readonly idempotency: IdempotencyScope | undefined;
  /** For a handler that may wait for long; given to those of mutations. See while-connected.ts. */
  readonly whileConnected?: <Result>(work: (gone: AbortSignal) => Promise<Result>) => Promise<Result>;
}

/** From the wire to a use-case and back; it decides nothing. */
export type Handler<Id extends OperationId> = (call: Call<Id>) => ReplyOf<Id> | Promise<ReplyOf<Id>>;

/** Operations that answer without a management key. */
export type OpenOperation = 'healthz' | 'readyz' | 'metrics' | 'openapi';
/** Operations of the feed, which have admission and bodies of their own (feed-routes.ts). */
export const feedOperations = ['askLease', 'getFeedSnapshot', 'getFeedRows', 'streamFeed'] as const;
export type FeedOperation = (typeof feedOperations)[number];
/** Operations that are authenticated by the key that they are about (holder-routes.ts). */
export const holderOperations = ['getSelf', 'renewSelf', 'revokeSelf', 'enrollKey'] as const;
export type HolderOperation = (typeof holderOperations)[number];
/** What is sent for as long as somebody watches (live-routes.ts). */
export const liveOperations = ['streamLive'] as const;
export type LiveOperation = (typeof liveOperations)[number];
export type GuardedOperation = Exclude<
  OperationId,
  OpenOperation | FeedOperation | HolderOperation | LiveOperation
>;
export type Handlers<Ids extends GuardedOperation> = { readonly [Id in Ids]: Handler<Id> };

/** One request of the holder of a key. */
export interface HolderCall<Id extends HolderOperation>
  extends Omit<Call<GuardedOperation>, 'params' | 'query' | 'body' | 'caller'> {
  readonly query: QueryOf<Id>;
  readonly body: BodyOf<Id>;
  readonly holder: Holder;
}

export type HolderHandler<Id extends HolderOperation> = (
  call: HolderCall<Id>,
) => ReplyOf<Id> | Promise<ReplyOf<Id>>;
export type HolderHandlers<Ids extends HolderOperation> = { readonly [Id in Ids]: HolderHandler<Id> };

export function isHolderOperation(id: OperationId): id is HolderOperation {
  return holderOperations.some((holderId) => holderId === id);
}

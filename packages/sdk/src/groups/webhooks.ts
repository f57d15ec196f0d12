import type { BodyOf, DeadLetterReply, ReplyOf, WebhookReply } from '@keyswarm/contract';
import { type CallContext, type CallOptions, callOperation } from '../call/call-operation.ts';
import { type Listing, listingOf } from './paging.ts';

export interface PageQuery {
  readonly cursor?: string;
  readonly limit?: number;
}

/** `client.webhooks`: where events are sent. */
export interface Webhooks {
  /** The secret is in the reply and nowhere else. */
  create(webhook: BodyOf<'createWebhook'>, options?: CallOptions): Promise<ReplyOf<'createWebhook'>>;
  list(query?: PageQuery, options?: CallOptions): Listing<WebhookReply>;
  get(id: string, options?: CallOptions): Promise<WebhookReply>;
  update(
    id: string,
    patch: BodyOf<'updateWebhook'>,
    options?: CallOptions,
  ): Promise<ReplyOf<'updateWebhook'>>;
  /** Both secrets sign until the overlap ends. */
  rotateSecret(
    id: string,
    terms?: BodyOf<'rotateWebhookSecret'>,
    options?: CallOptions,
  ): Promise<ReplyOf<'rotateWebhookSecret'>>;
  delete(id: string, options?: CallOptions): Promise<ReplyOf<'deleteWebhook'>>;
}

/** `client.deadLetters`: what was given up. */
export interface DeadLetters {
  list(query?: PageQuery, options?: CallOptions): Listing<DeadLetterReply>;
  replay(id: string, options?: CallOptions): Promise<ReplyOf<'replayDeadLetter'>>;
  discard(id: string, options?: CallOptions): Promise<ReplyOf<'discardDeadLetter'>>;
}

export function webhooksOf(context: CallContext): Webhooks {
  return {
    create: (body, options) => callOperation(context, 'createWebhook', { body }, options),
    list: (query, options) => pagesOf(context, 'listWebhooks', query, options) as Listing<WebhookReply>,
    get: (id, options) => callOperation(context, 'getWebhook', { params: { id } }, options),
    update: (id, body, options) => callOperation(context, 'updateWebhook', { params: { id }, body }, options),
    rotateSecret: (id, body = {}, options) =>
      callOperation(context, 'rotateWebhookSecret', { params: { id }, body }, options),
    delete: (id, options) => callOperation(context, 'deleteWebhook', { params: { id } }, options),
  };
}

export function deadLettersOf(context: CallContext): DeadLetters {
  return {
    list: (query, options) => pagesOf(context, 'listDeadLetters', query, options) as Listing<DeadLetterReply>,
    replay: (id, options) => callOperation(context, 'replayDeadLetter', { params: { id } }, options),
    discard: (id, options) => callOperation(context, 'discardDeadLetter', { params: { id } }, options),
  };
}

function pagesOf(
  context: CallContext,
  operationId: 'listWebhooks' | 'listDeadLetters',
  { limit, cursor }: PageQuery = {},
  options?: CallOptions,
): Listing<WebhookReply | DeadLetterReply> {
  const query = limit === undefined ? {} : { limit: String(limit) };
  return listingOf<WebhookReply | DeadLetterReply>(
    operationId,
    (next) =>
      callOperation(
        context,
        operationId,
        { query: next === undefined ? query : { ...query, cursor: next } },
        options,
      ),
    cursor,
  );
}

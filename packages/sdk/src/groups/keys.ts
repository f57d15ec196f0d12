import type {
  BodyOf,
  KeyIssue,
  KeyReply,
  KeyVerify,
  KeyVerifyItem,
  OperationId,
  ParamsOf,
  QueryOf,
  ReplyOf,
} from '@keyswarm/contract';
import { type CallContext, type CallOptions, callOperation } from '../call/call-operation.ts';
import { badShape, isRecord } from '../call/read-reply.ts';
import { type Listing, listingOf } from './paging.ts';

export type KeysQuery = Omit<QueryOf<'listKeys'>, 'limit'> & { readonly limit?: number };
type Items<Id extends 'issueKeysBulk' | 'importKeys' | 'verifyKeysBulk'> = ReplyOf<Id>['results'];

/** Operations on one key: its id in the path, perhaps a body. */
type KeyAction = 'updateKey' | 'rotateKey' | 'finishRotation' | 'revokeKey' | 'suspendKey' | 'resumeKey';

/** `client.keys`. Every method throws a `KeyswarmError`, or the reason of `options.signal`. */
export interface Keys {
  issue(key: KeyIssue, options?: CallOptions): Promise<ReplyOf<'issueKey'>>;
  /** 1 to 1,000; results in order, each a key or `{error}`. */
  issueBulk(keys: readonly KeyIssue[], options?: CallOptions): Promise<Items<'issueKeysBulk'>>;
  /** 1 to 1,000 keys of another system by their hashes; results in order, each a key or `{error}`. */
  import(keys: BodyOf<'importKeys'>['keys'], options?: CallOptions): Promise<Items<'importKeys'>>;
  list(query?: KeysQuery, options?: CallOptions): Listing<KeyReply>;
  get(id: string, options?: CallOptions): Promise<KeyReply>;
  update(id: string, change: BodyOf<'updateKey'>, options?: CallOptions): Promise<KeyReply>;
  /** The present rotation or the last one; of all versions those before `before`, fifty at the most, newest first. */
  rotation(
    id: string,
    page?: { readonly before?: number },
    options?: CallOptions,
  ): Promise<ReplyOf<'getRotation'>>;
  rotate(id: string, terms?: BodyOf<'rotateKey'>, options?: CallOptions): Promise<ReplyOf<'rotateKey'>>;
  finishRotation(
    id: string,
    terms?: BodyOf<'finishRotation'>,
    options?: CallOptions,
  ): Promise<ReplyOf<'finishRotation'>>;
  revoke(id: string, terms?: BodyOf<'revokeKey'>, options?: CallOptions): Promise<ReplyOf<'revokeKey'>>;
  suspend(id: string, options?: CallOptions): Promise<ReplyOf<'suspendKey'>>;
  resume(id: string, options?: CallOptions): Promise<ReplyOf<'resumeKey'>>;
  /** A verdict, valid or not, or an error; an answer that is neither is a `bad_reply`, never taken for valid. */
  verify(question: KeyVerify, options?: CallOptions): Promise<ReplyOf<'verifyKey'>>;
  /** 1 to 1,000; verdicts in order. An item may be `{error: {code: 'stale'}}`. */
  verifyBulk(questions: readonly KeyVerifyItem[], options?: CallOptions): Promise<Items<'verifyKeysBulk'>>;
}

export function keysOf(context: CallContext): Keys {
  const act = <Id extends KeyAction>(operationId: Id, id: string, body: BodyOf<Id>, options?: CallOptions) =>
    // Every action has the same one parameter, which the checker can't see through the type variable.
    callOperation(context, operationId, { params: { id } as ParamsOf<Id>, body }, options);
  return {
    issue: (key, options) => callOperation(context, 'issueKey', { body: key }, options),
    issueBulk: async (keys, options) =>
      itemsOf(
        'issueKeysBulk',
        keys,
        await callOperation(context, 'issueKeysBulk', { body: { keys } }, options),
      ),
    import: async (keys, options) =>
      itemsOf('importKeys', keys, await callOperation(context, 'importKeys', { body: { keys } }, options)),
    list({ limit, cursor, ...filter } = {}, options) {
      const query = limit === undefined ? filter : { ...filter, limit: String(limit) };
      return listingOf(
        'listKeys',
        (next) =>
          callOperation(
            context,
            'listKeys',
            { query: next === undefined ? query : { ...query, cursor: next } },
            options,
          ),
        cursor,
      );
    },
    get: (id, options) => callOperation(context, 'getKey', { params: { id } }, options),
    update: (id, change, options) => act('updateKey', id, change, options),
    rotation(id, { before } = {}, options) {
      const query = before === undefined ? {} : { before: String(before) };
      return callOperation(context, 'getRotation', { params: { id }, query }, options);
    },
    rotate: (id, terms = {}, options) => act('rotateKey', id, terms, options),
    finishRotation: (id, terms = {}, options) => act('finishRotation', id, terms, options),
    revoke: (id, terms = {}, options) => act('revokeKey', id, terms, options),
    suspend: (id, options) => act('suspendKey', id, {}, options),
    resume: (id, options) => act('resumeKey', id, {}, options),
    verify: async (question, options) => {
      const verdict = await callOperation(context, 'verifyKey', { body: question }, options);
      if (isVerdict(verdict)) return verdict;
      throw badShape('verifyKey', 'The reply is not a verdict.');
    },
    verifyBulk: async (questions, options) => {
      const body = { keys: questions };
      const reply = await callOperation(context, 'verifyKeysBulk', { body }, options);
      const items = itemsOf('verifyKeysBulk', questions, reply);
      if (items.every((item) => isVerdict(item) || isRefusedItem(item))) return items;
      throw badShape('verifyKeysBulk', 'An item of the reply is not a verdict.');
    },
  };
}

/** Results are told apart by their place, so a list of another length says nothing about anything. */
function itemsOf<Item>(
  operationId: OperationId,
  asked: readonly unknown[],
  reply: { readonly results: readonly Item[] },
): readonly Item[] {
  const { results } = reply;
  if (Array.isArray(results) && results.length === asked.length) return results;
  throw badShape(operationId, 'The reply does not have one result for each item.');
}

/** `valid` and `code` must say the same: an access is granted on the strength of them. */
function isVerdict(value: unknown): boolean {
  if (!isRecord(value) || typeof value.code !== 'string') return false;
  return value.valid === true ? value.code === 'valid' : value.valid === false && value.code !== 'valid';
}

function isRefusedItem(value: unknown): boolean {
  return isRecord(value) && value.valid === undefined && isRecord(value.error);
}

import type { BodyOf, ReplyOf } from '@keyswarm/contract';
import { type CallContext, type CallOptions, callOperation } from '../call/call-operation.ts';

/** `client.self`: about the very key that the client was given, of whichever keyspace. */
export interface Self {
  get(options?: CallOptions): Promise<ReplyOf<'getSelf'>>;
  /** The next version, once. `createCredential` does it at the right time, and keeps what comes. */
  renew(options?: CallOptions): Promise<ReplyOf<'renewSelf'>>;
  /** Ends it for good. */
  revoke(terms?: BodyOf<'revokeSelf'>, options?: CallOptions): Promise<ReplyOf<'revokeSelf'>>;
  /** Exchanges it for a lasting key, if it is an enrollment key. */
  enroll(terms?: BodyOf<'enrollKey'>, options?: CallOptions): Promise<ReplyOf<'enrollKey'>>;
}

export function selfOf(context: CallContext): Self {
  return {
    get: (options) => callOperation(context, 'getSelf', {}, options),
    renew: (options) => callOperation(context, 'renewSelf', {}, options),
    revoke: (body = {}, options) => callOperation(context, 'revokeSelf', { body }, options),
    enroll: (body = {}, options) => callOperation(context, 'enrollKey', { body }, options),
  };
}

/** `client.enrollments`. Show, list, suspend and revoke them as any key; `keys.list({ parent })` finds what they made. */
export interface Enrollments {
  create(terms: BodyOf<'createEnrollment'>, options?: CallOptions): Promise<ReplyOf<'createEnrollment'>>;
}

export function enrollmentsOf(context: CallContext): Enrollments {
  return { create: (body, options) => callOperation(context, 'createEnrollment', { body }, options) };
}

import type { BodyOf, ReplyOf } from '@keyswarm/contract';
import { type CallContext, type CallOptions, callOperation } from '../call/call-operation.ts';

/** `client.signingKeys`: the keys that tokens are signed with. */
export interface SigningKeys {
  list(options?: CallOptions): Promise<ReplyOf<'listSigningKeys'>>;
  /** The one that stands by takes over; `signing_key_gate` while somebody may not know it. */
  rotate(
    algorithm: BodyOf<'rotateSigningKeys'>['algorithm'],
    options?: CallOptions,
  ): Promise<ReplyOf<'rotateSigningKeys'>>;
  /** It has leaked: nothing that it signed is accepted any more. */
  revoke(id: string, options?: CallOptions): Promise<ReplyOf<'revokeSigningKey'>>;
  /** It has retired, and its last token has expired. */
  remove(id: string, options?: CallOptions): Promise<ReplyOf<'removeSigningKey'>>;
}

export function signingKeysOf(context: CallContext): SigningKeys {
  return {
    list: (options) => callOperation(context, 'listSigningKeys', {}, options),
    rotate: (algorithm, options) =>
      callOperation(context, 'rotateSigningKeys', { body: { algorithm } }, options),
    revoke: (id, options) => callOperation(context, 'revokeSigningKey', { params: { id } }, options),
    remove: (id, options) => callOperation(context, 'removeSigningKey', { params: { id } }, options),
  };
}

import type { ValidVerdict } from '@keyswarm/core';
import type { HeldVersion } from '@keyswarm/verifier';
import type { Caller } from './caller.ts';

/**
 * Who asks by the key that the request is about. A caller without any management scope, whatever scopes the key has:
 * what a holder may do rests on which key it holds and on nothing else.
 */
export interface Holder extends Caller, HeldVersion {
  readonly scopes: readonly [];
  /** Null: the key is let in here without being VALID for an access point. */
  readonly verdict: ValidVerdict | null;
}

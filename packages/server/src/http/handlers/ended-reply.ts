import { type Effective, effectiveView, placedView } from '@keyswarm/contract';
import { assert } from '@keyswarm/core';
import type { Caller } from '../../access/caller.ts';
import type { UseCasePorts } from '../../access/use-case-ports.ts';
import { type EndingChange, waitForEffect } from '../../access/wait-for-effect.ts';
import type { Call } from '../handler.ts';

interface EndingCall extends Pick<Call<'revokeKey'>, 'whileConnected'> {
  readonly query: { readonly wait?: 'effective' };
  readonly caller: Caller;
}

/** The reply to a change that takes a right away: at once, or once it is effective if that was asked for. */
export async function endedReply<View extends object>(
  ports: UseCasePorts,
  { query, caller, whileConnected }: EndingCall,
  change: EndingChange,
  view: View,
): Promise<View & { readonly seq: string; readonly effective?: Effective }> {
  const placed = placedView(view, change.at);
  if (query.wait === undefined) return placed;
  assert(whileConnected !== undefined, 'a mutation may wait');
  const outcome = await whileConnected((gone) => waitForEffect(ports, caller, change, gone));
  return outcome === undefined ? placed : { ...placed, effective: effectiveView(outcome) };
}

import { Fault, type FeedPosition, type KeyspaceId } from '@keyswarm/core';
import type { EffectiveOutcome } from './await-effective.ts';
import type { Caller } from './caller.ts';
import type { UseCasePorts } from './use-case-ports.ts';

/** A change that is durable, and the instant from which it holds whether or not anybody says so. */
export interface EndingChange {
  readonly at: FeedPosition;
  /** The one keyspace whose keys it is about, where there is one: then its lease is the longest to wait for. */
  readonly keyspaceId?: KeyspaceId | undefined;
  readonly effectiveByMs: number;
}

/**
 * The second ack of a change that takes a right away. Undefined where it was not waited for after all: too many wait
 * already, or the client is gone. The change is made either way, so that none of it is a failure of the request.
 */
export async function waitForEffect(
  ports: UseCasePorts,
  caller: Caller,
  change: EndingChange,
  gone: AbortSignal,
): Promise<EffectiveOutcome | undefined> {
  const { workspaceId } = caller;
  const { at, keyspaceId, effectiveByMs } = change;
  if (ports.awaitEffective === undefined) return await appliedHere(ports, caller);
  try {
    return await ports.awaitEffective({ workspaceId, keyspaceId, ...at, effectiveByMs }, gone);
  } catch (error) {
    if (gone.aborted || (error instanceof Fault && error.retryable)) return undefined;
    throw error;
  }
}

/** The only verifier is this process, which had applied the change before the write was acknowledged. */
async function appliedHere({ leases, clock }: UseCasePorts, caller: Caller): Promise<EffectiveOutcome> {
  const now = await leases.ofWorkspace(caller.workspaceId).catch(() => undefined);
  return { atMs: now?.nowMs ?? clock.nowMs(), verifiers: 1, laggards: [] };
}

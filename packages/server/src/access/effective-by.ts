import { effectiveByMs, type KeyspaceId, leaseSecondsMax, type WorkspaceId } from '@keyswarm/core';
import type { LeaseNow } from './lease-reads.ts';
import type { UseCasePorts } from './use-case-ports.ts';

/*
 * The instant from which no verifier goes by the old state (P1), for a change that is durable now: to be asked once
 * the write has committed. A verifier that accepts by the old state holds a proof of freshness from before the commit,
 * and runs on it for its lease, whichever lease it has heard of:
 *
 *   the present one   read after the commit. If it is raised later still, the proof that the longer lease counts from
 *                     is later than the commit, and has seen the change.
 *   a former one      if it was lowered. The keyspace keeps until when that may be.
 *
 * Both are of the store's clock, since the servers' own may disagree. A replay asks again and gets a later instant,
 * which holds just as well.
 */

export type LeasePorts = Pick<UseCasePorts, 'leases' | 'clock'>;

const longestLeaseMs = leaseSecondsMax * 1000;

export function effectiveByOfKeyspace(ports: LeasePorts, keyspaceId: KeyspaceId): Promise<number> {
  return effectiveBy(ports, ports.leases.ofKeyspace(keyspaceId));
}

/** For an owner, whose keys may live in any keyspace of the workspace: the longest lease among them. */
export function effectiveByOfWorkspace(ports: LeasePorts, workspaceId: WorkspaceId): Promise<number> {
  return effectiveBy(ports, ports.leases.ofWorkspace(workspaceId));
}

/** The write is done: a store that fails now must not turn its answer into a failure, so it costs precision only. */
async function effectiveBy(
  { clock }: Pick<UseCasePorts, 'clock'>,
  asked: Promise<LeaseNow>,
): Promise<number> {
  const found = await asked.catch(() => undefined);
  if (found?.lease === undefined) return effectiveByMs(found?.nowMs ?? clock.nowMs(), longestLeaseMs);
  const { leaseMs, formerUntilMs } = found.lease;
  return Math.max(effectiveByMs(found.nowMs, leaseMs), formerUntilMs ?? 0);
}

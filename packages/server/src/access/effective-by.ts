import { effectiveByMs, type KeyspaceId, leaseSecondsMax, type WorkspaceId } from '@keyswarm/core';
import { leaseKeyspacesMax } from '../limits.ts';
import type { UseCasePorts } from './use-case-ports.ts';

const longestLeaseMs = leaseSecondsMax * 1000;

/**
 * The instant from which no verifier goes by the old state (P1), for a change that is durable now: to be asked
 * once the write has been acknowledged. A replay asks again and gets a later instant, which holds just as well.
 */
export function effectiveByOfKeyspace(ports: UseCasePorts, keyspaceId: KeyspaceId): number {
  return effectiveByMs(ports.clock.nowMs(), ports.verifier.leaseMsOf(keyspaceId) ?? longestLeaseMs);
}

/** For an owner, whose keys may live in any keyspace of the workspace: the longest lease among them. */
export async function effectiveByOfWorkspace(ports: UseCasePorts, workspaceId: WorkspaceId): Promise<number> {
  const ackMs = ports.clock.nowMs();
  return effectiveByMs(ackMs, await longestLeaseOf(ports, workspaceId));
}

/** The write is done: a store that fails now must not turn its answer into a failure, so it costs precision only. */
async function longestLeaseOf({ reader, verifier }: UseCasePorts, workspaceId: WorkspaceId): Promise<number> {
  const keyspaces = await reader.keyspaces(workspaceId, { limit: leaseKeyspacesMax }).catch(() => undefined);
  if (keyspaces === undefined || keyspaces.length === leaseKeyspacesMax) return longestLeaseMs;
  const leases = keyspaces.map(({ id, leaseSeconds }) =>
    Math.max(leaseSeconds * 1000, verifier.leaseMsOf(id) ?? 0),
  );
  return Math.max(0, ...leases) || longestLeaseMs;
}

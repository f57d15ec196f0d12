import type { Readiness } from '@keyswarm/contract';
import { leaseDefaultSeconds } from '@keyswarm/core';
import type { Verifier } from '@keyswarm/verifier';
import { leaseOverdueMs } from '../limits.ts';

export interface NodeReadinessOptions {
  readonly verifier: Pick<Verifier, 'resident' | 'state' | 'reason'>;
  /** Are the keys of those who ask this node resident? */
  readonly holdsManagers: () => boolean;
  /** May it be asked without a management key? */
  readonly isGateway: boolean;
  readonly isDraining: () => boolean;
}

/**
 * May traffic be sent here? Asks nobody: a node knows by its lease how fresh it is. The port is open from the start,
 * so that a balancer can tell a node that isn't ready from one that is gone, and an orchestrator whose liveness probe
 * is `/healthz` doesn't restart one that merely waits for its relay.
 *
 * A quarantined shard leaves it ready, for the others serve; it is named. So is a lease that is not renewed, long
 * before this node stops being ready: keyspaces with a short one may be stale by then.
 */
export function nodeReadinessOf(options: NodeReadinessOptions): () => Promise<Readiness> {
  const { verifier, holdsManagers, isGateway, isDraining } = options;
  return async () => {
    const { state, reason, resident } = verifier;
    const { leaseAgeMs } = resident.stats();
    const isFresh = resident.ready && leaseAgeMs <= leaseDefaultSeconds * 1000;
    const hasCallers = isGateway || !resident.ready || holdsManagers();
    const isOpen = !isDraining();
    const word = (holds: boolean) => (holds ? ('ok' as const) : ('failing' as const));
    const notes = [
      ...(reason === undefined || leaseAgeMs <= leaseOverdueMs
        ? []
        : [notRenewed(state, leaseAgeMs, reason)]),
      ...(resident.ready && !holdsManagers() ? [noManagers(isGateway)] : []),
    ];
    return {
      status: isFresh && hasCallers && isOpen ? 'ready' : 'not_ready',
      checks: { verifier: word(isFresh), callers: word(hasCallers), accepting: word(isOpen) },
      lease_age_ms: Number.isFinite(leaseAgeMs) ? Math.round(leaseAgeMs) : null,
      quarantined_shards: [...resident.quarantined],
      ...(notes.length === 0 ? {} : { notes }),
    };
  };
}

function notRenewed(state: string, leaseAgeMs: number, reason: unknown): string {
  const since = `the lease has not been renewed for ${Math.round(leaseAgeMs / 1000)} s: `;
  return `${state}: ${Number.isFinite(leaseAgeMs) ? since : ''}${sentenceOf(reason)}`;
}

/** Errors of the feed name a relay and what it did; nothing of a request is in them. */
function sentenceOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** Said at the start and by `/readyz`. */
export function noManagers(isGateway: boolean): string {
  const what = isGateway ? 'only /v1/forward-auth can be asked' : 'nobody can ask it anything';
  return `the credential may not read management keys, so ${what}: it needs the scope feed:read:keyswarm`;
}

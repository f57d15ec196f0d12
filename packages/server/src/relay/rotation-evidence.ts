import type { KeyId, KeyspaceId, UseEvidence, WorkspaceId } from '@keyswarm/core';
import { versionsKeptMax } from '@keyswarm/core';
import type { LeaseReads } from '../access/lease-reads.ts';
import type { RotationEvidence, UnheardNow } from '../access/rotation-evidence.ts';
import type { LineageVersion, Reader } from '../storage/reader-port.ts';
import { unheardVerifier } from './unheard-verifier.ts';
import type { UseSink } from './use-sink.ts';
import type { RelayIdentity, VerifierRegistry } from './verifier-registry.ts';

export interface EvidenceFrom {
  readonly sink: Pick<UseSink, 'flush'>;
  readonly reader: Pick<Reader, 'lineage'>;
  readonly leases: Pick<LeaseReads, 'ofKeyspace'>;
  readonly registry: Pick<VerifierRegistry, 'roll' | 'read'>;
  readonly relay: RelayIdentity;
  readonly clock: { monotonicMs(): number };
}

/** What this process has been told is stored first; then the store is asked, and so is who verifies. */
export function openRotationEvidence(from: EvidenceFrom): RotationEvidence {
  const { sink, reader, leases, registry, relay, clock } = from;

  async function unheardIn(workspaceId: WorkspaceId, keyspaceId: KeyspaceId): Promise<UnheardNow | null> {
    const [reading, { lease, nowMs }] = await Promise.all([
      registry.read([workspaceId], keyspaceId),
      leases.ofKeyspace(keyspaceId),
    ]);
    if (lease === undefined) return null;
    const here = { relayId: relay.id, entries: registry.roll.entries(), monotonicMs: clock.monotonicMs() };
    const unheard = unheardVerifier({ reading, here }, { workspaceId, keyspaceId, lease, nowMs });
    return unheard && { ...unheard, asOfMs: nowMs };
  }

  return {
    flush: () => sink.flush(),
    unheardIn,
    async of({ workspaceId, keyspaceId, id }): Promise<Omit<UseEvidence, 'windowMs'>> {
      await sink.flush();
      const [versions, unheard] = await Promise.all([
        reader.lineage(workspaceId, id, { limit: versionsKeptMax }),
        unheardIn(workspaceId, keyspaceId),
      ]);
      return { uses: usesOf(versions), unheard };
    },
  };
}

export interface KeyPlace {
  readonly workspaceId: WorkspaceId;
  readonly keyspaceId: KeyspaceId;
  readonly id: KeyId;
}

function usesOf(versions: readonly LineageVersion[]): UseEvidence['uses'] {
  return versions.flatMap(({ number, firstUsedMs, lastUsedMs }) =>
    firstUsedMs === null || lastUsedMs === null ? [] : [{ number, firstUsedMs, lastUsedMs }],
  );
}

import type { FeedSource } from '../feed/feed-source.ts';
import type { ResidentVerifier, VerifierClock } from '../verifier-port.ts';
import { OlderEpoch } from './follower-state.ts';
import { provenAtMs } from './proven-at.ts';

export interface SnapshotPorts {
  readonly source: FeedSource;
  readonly verifier: ResidentVerifier;
  readonly clock: VerifierClock;
  /** Called in the same step as the swap, before it. */
  readonly beforeSwap?: () => void;
}

/**
 * Loads a snapshot into a new table while the old one serves. What this process commits or is pushed in the
 * meantime reaches the verifier by `applyRow` and `applyFacts`; it keeps those rows and puts them on top when the
 * tables are swapped. Gives up at the next key once `signal` is aborted; the old table then stays.
 *
 * The swap and the renewal of the lease are one step. The lease is as of when the snapshot was asked for, less its
 * age, and counts only where the new table is not behind the old one and of the same view (SPEC.md, rule 7).
 */
export async function takeSnapshot(from: SnapshotPorts, signal: AbortSignal): Promise<void> {
  const { source, verifier, clock, beforeSwap } = from;
  const p0Ms = clock.monotonicMs();
  const load = verifier.startSnapshot();
  const end = await source.snapshot(
    {
      key: (fact) => {
        signal.throwIfAborted();
        load.applyKey(fact);
      },
      owner: (fact) => load.applyOwner(fact),
      keyspace: (fact) => load.applyKeyspace(fact),
      signingKey: (fact) => load.applySigningKey(fact),
      stretch: (stretch) => load.applyStretch(stretch),
    },
    signal,
  );
  signal.throwIfAborted();
  const known = verifier.applied().epoch;
  if (verifier.ready && end.epoch < known) throw new OlderEpoch(known, end.epoch);
  beforeSwap?.();
  load.finish({ epoch: end.epoch, seqs: end.seqs, view: end.view });
  if (end.ageMs !== undefined) verifier.renewLease(provenAtMs(p0Ms, end.ageMs));
}

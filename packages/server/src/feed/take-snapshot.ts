import type { ResidentVerifier, VerifierClock } from '@keyswarm/verifier';
import type { FeedSource } from '../storage/reader-port.ts';

export interface SnapshotPorts {
  readonly source: FeedSource;
  readonly verifier: ResidentVerifier;
  readonly clock: VerifierClock;
}

/**
 * Loads a snapshot into a new table while the old one serves. What this process commits in the meantime reaches
 * the verifier by `applyRow` and `applyFacts`; it keeps those rows and puts them on top when the tables are
 * swapped. Gives up at the next key once `signal` is aborted; the old table then stays.
 *
 * The swap and the renewal of the lease are one step: a new table may start without a lease, and whoever asked in
 * between would be told `stale` for no reason. The lease is as of before the snapshot's heads were read.
 */
export async function takeSnapshot(from: SnapshotPorts, signal: AbortSignal): Promise<void> {
  const { source, verifier, clock } = from;
  const p0Ms = clock.monotonicMs();
  const load = verifier.startSnapshot();
  const heads = await source.snapshot({
    key: (fact) => {
      if (signal.aborted) throw new Error('the snapshot was given up');
      load.applyKey(fact);
    },
    owner: (fact) => load.applyOwner(fact),
    keyspace: (fact) => load.applyKeyspace(fact),
  });
  load.finish(heads);
  verifier.renewLease(p0Ms);
}

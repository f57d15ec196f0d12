import type { ResidentVerifier } from '@keyswarm/verifier';
import type { FeedSource } from '../storage/reader-port.ts';

/**
 * Loads a snapshot into a new table while the old one serves. What this process commits in the meantime reaches
 * the verifier by `applyRow` and `applyFacts`; it keeps those rows and puts them on top when the tables are
 * swapped. Gives up at the next key once `signal` is aborted; the old table then stays.
 */
export async function takeSnapshot(
  source: FeedSource,
  verifier: ResidentVerifier,
  signal: AbortSignal,
): Promise<void> {
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
}

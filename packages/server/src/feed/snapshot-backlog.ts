import type { FeedRow } from '@keyswarm/core';
import type { ResidentVerifier } from '@keyswarm/verifier';
import { snapshotBacklogRowsMax } from '../limits.ts';
import type { FeedSource } from '../storage/reader-port.ts';

/**
 * Loads a snapshot into a new table while the old one serves. What this process commits in the meantime goes to
 * the old table only, and would be missing from the new one until the tail is read: a key that was issued and
 * acknowledged would be unknown again for a moment. So those rows are kept, and applied before the tables are
 * swapped.
 */
export class SnapshotBacklog {
  readonly #source: FeedSource;
  readonly #verifier: ResidentVerifier;
  #rows: FeedRow[] | undefined;

  constructor(source: FeedSource, verifier: ResidentVerifier) {
    this.#source = source;
    this.#verifier = verifier;
  }

  /** Past the bound, rows are left to the tail: they come a moment later, and none is lost. */
  note(rows: readonly FeedRow[]): void {
    if (this.#rows === undefined) return;
    for (const row of rows) if (this.#rows.length < snapshotBacklogRowsMax) this.#rows.push(row);
  }

  /** Gives up at the next fact once `signal` is aborted; the old table then stays. */
  async load(signal: AbortSignal): Promise<void> {
    const rows: FeedRow[] = [];
    this.#rows = rows;
    try {
      const load = this.#verifier.startSnapshot();
      const heads = await this.#source.snapshot({
        key: (fact) => {
          if (signal.aborted) throw new Error('the snapshot was given up');
          load.applyKey(fact);
        },
        owner: (fact) => load.applyOwner(fact),
        keyspace: (fact) => load.applyKeyspace(fact),
      });
      for (const row of rows) {
        // Rows of another epoch are of a history that the snapshot may not share.
        if (row.epoch !== heads.epoch) continue;
        if (row.keyspace !== null) load.applyKeyspace(row.keyspace);
        if (row.owner !== null) load.applyOwner(row.owner);
        if (row.key !== null) load.applyKey(row.key);
      }
      load.finish(heads);
    } finally {
      this.#rows = undefined;
    }
  }
}

import type { ResidentVerifier } from '@keyswarm/verifier';
import { feedPageRows } from '../limits.ts';
import type { FeedSource } from '../storage/reader-port.ts';
import { BadFeedRow } from './bad-feed-row.ts';

/** Brings one shard of a resident table up to a head. */
export class ShardReader {
  readonly #source: FeedSource;
  readonly #verifier: ResidentVerifier;

  constructor(source: FeedSource, verifier: ResidentVerifier) {
    this.#source = source;
    this.#verifier = verifier;
  }

  /** `done` only when every row up to `head` is applied, by this reader or by the shortcut meanwhile. */
  async readTo(shard: number, head: number): Promise<'done' | 'gone' | BadFeedRow> {
    for (;;) {
      const after = this.#appliedOf(shard);
      if (after >= head) return 'done';
      try {
        const rows = await this.#source.rows(shard, { after, upTo: head, limit: feedPageRows });
        if (rows === 'gone') {
          // The shortcut may have gone past the range while it was read; then nothing is missing.
          if (this.#appliedOf(shard) === after) return 'gone';
          continue;
        }
        // A row that the shortcut has applied in the meantime is not the next one any more, and is passed over.
        for (const row of rows) this.#verifier.applyRow(row);
      } catch (error) {
        if (error instanceof BadFeedRow) return error;
        throw error;
      }
      if (this.#appliedOf(shard) === after) throw new Error(`the table of shard ${shard} takes no rows`);
    }
  }

  #appliedOf(shard: number): number {
    return this.#verifier.applied().seqs[shard] ?? 0;
  }
}

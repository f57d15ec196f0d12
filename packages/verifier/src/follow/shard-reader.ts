import type { FeedSource } from '../feed/feed-source.ts';
import { feedPageRows } from '../limits.ts';
import type { ResidentVerifier } from '../verifier-port.ts';
import { BadFeedRow } from './bad-feed-row.ts';

/** Brings one shard of a resident table up to a head. */
export class ShardReader {
  readonly #source: FeedSource;
  readonly #verifier: ResidentVerifier;

  constructor(source: FeedSource, verifier: ResidentVerifier) {
    this.#source = source;
    this.#verifier = verifier;
  }

  /** `done` only when every row up to `head` is applied, by this reader, a push or the shortcut meanwhile. */
  async readTo(shard: number, head: number, signal: AbortSignal): Promise<'done' | 'gone' | BadFeedRow> {
    for (;;) {
      const after = this.#appliedOf(shard);
      if (after >= head) return 'done';
      try {
        const range = { after, upTo: head, limit: feedPageRows, view: this.#verifier.view };
        const stretch = await this.#source.rows(shard, range, signal);
        if (stretch === 'gone') {
          // Somebody else may have gone past the range while it was read; then nothing is missing.
          if (this.#appliedOf(shard) === after) return 'gone';
          continue;
        }
        // What was applied in the meantime is passed over.
        const place = this.#verifier.applyStretch(stretch);
        // The epoch has changed since the heads were read.
        if (place === 'elsewhere') return 'gone';
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

import type { ResidentVerifier } from '@keyswarm/verifier';
import type { FeedSource, Heads } from '../storage/reader-port.ts';

/** The feed source, and how far the table was behind the heads that were last read through it. */
export function watchLag(
  source: FeedSource,
  verifier: Pick<ResidentVerifier, 'applied'>,
): { readonly source: FeedSource; rows(): number } {
  let last: Heads | undefined;
  return {
    source: {
      ...source,
      async heads() {
        last = await source.heads();
        return last;
      },
    },
    rows() {
      const { epoch, seqs } = verifier.applied();
      if (last === undefined || last.epoch !== epoch) return 0;
      return last.seqs.reduce((sum, head, shard) => sum + Math.max(0, head - (seqs[shard] ?? 0)), 0);
    },
  };
}

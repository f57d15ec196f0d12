import type { Heads, ResidentVerifier } from '@keyswarm/verifier';
import type { StoreFeed } from '../feed/feed-source.ts';

/** The feed source, and how far the table was behind the heads that were last read through it. */
export function watchLag(
  source: StoreFeed,
  verifier: Pick<ResidentVerifier, 'applied'>,
): { readonly source: StoreFeed; rows(): number } {
  let last: Heads | undefined;
  return {
    source: {
      ...source,
      async lease() {
        const answer = await source.lease();
        last = answer;
        return answer;
      },
    },
    rows() {
      const { epoch, seqs } = verifier.applied();
      if (last === undefined || last.epoch !== epoch) return 0;
      return last.seqs.reduce((sum, head, shard) => sum + Math.max(0, head - (seqs[shard] ?? 0)), 0);
    },
  };
}

import type { FeedRow } from '@keyswarm/core';
import type { FeedStretch } from '../feed/feed-source.ts';
import { stretchBytesMax } from '../limits.ts';

/** The most that a row takes in a frame, roughly: bounds need no more. Text counts for three bytes a character. */
export function rowBytes({ key, owner, keyspace }: FeedRow): number {
  let bytes = 512;
  if (key !== null) {
    bytes += 512 + key.versions.length * 192;
    for (const scope of key.scopes) bytes += 4 + scope.length * 3;
  }
  if (owner !== null) bytes += 256 + owner.externalId.length * 3;
  if (keyspace !== null) bytes += 384;
  return bytes;
}

/** As much of a stretch as fits one frame, from its beginning: at least one row. */
export function fitting(stretch: FeedStretch): FeedStretch {
  let bytes = 0;
  for (const [count, row] of stretch.rows.entries()) {
    bytes += rowBytes(row);
    const before = stretch.rows[count - 1];
    if (bytes > stretchBytesMax && before !== undefined) {
      return { ...stretch, upTo: before.seq, rows: stretch.rows.slice(0, count) };
    }
  }
  return stretch;
}

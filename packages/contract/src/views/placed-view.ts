import type { FeedPosition } from '@keyswarm/core';
import { formatSeq } from '../decode/seq.ts';

/** The reply to a change as its record alone tells it: without where the change stands. */
export type Unplaced<View> = View extends { readonly seq: string } ? Omit<View, 'seq'> : View;

/** The reply to a change, with where it stands in the feed. */
export function placedView<View extends object>(
  view: View,
  at: FeedPosition,
): View & { readonly seq: string } {
  return { ...view, seq: formatSeq(at) };
}

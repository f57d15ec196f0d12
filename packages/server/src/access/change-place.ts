import { assert, type FeedPosition } from '@keyswarm/core';
import type { Kept } from '../lanes/lane-port.ts';

/** Where a write stands that always changes something. */
export function placeOf({ at }: Kept<unknown>): FeedPosition {
  assert(at !== null, 'a write that changes something has its place');
  return at;
}

/** Where each change of a write stands that made so many, in their order. */
export function placesOf({ at }: Kept<unknown>, count: number): readonly FeedPosition[] {
  if (count === 0) return [];
  assert(at !== null, 'a write that changes something has its place');
  return Array.from({ length: count }, (_, index) => ({ ...at, seq: at.seq - count + 1 + index }));
}

import type { DocumentId } from '@keyswarm/core';

/** Takes documents away for good: the one thing that is done to them past the lanes. */
export interface DocumentRemoval {
  /** Those of them that were not changed since `untouchedSinceMs`, with the places of webhooks among them; says how many. */
  remove(ids: readonly DocumentId[], untouchedSinceMs: number): Promise<number>;
}

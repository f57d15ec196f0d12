import { type FeedPosition, keyLengthMax } from '@keyswarm/core';
import type { Applied } from '../verifier-port.ts';

/*
 * When an answer has to wait for news. A refusal needs freshness, too: a key that was issued, resumed or given a scope a
 * moment ago elsewhere must not be refused for want of news. The rule stands here once, for the server that answers
 * over the network and for the library in somebody's service.
 */

/** What news could lift. A revocation is final, and so is the form of a string. */
const liftable: ReadonlySet<string> = new Set([
  'unknown',
  'suspended',
  'expired',
  'insufficient_scope',
  // The keyspace may have gone back to bearers a moment ago.
  'signature_required',
]);

/** Might a change that isn't known here yet turn this refusal? `key` is what was presented. */
export function mayBeNews(code: string, key: string): boolean {
  // A foreign string is `malformed` only as long as nobody has imported it.
  return liftable.has(code) || (code === 'malformed' && key !== '' && key.length <= keyLengthMax);
}

/** A change of an earlier epoch is in every snapshot of a later one, or was lost with the store that was replaced. */
export function hasApplied(applied: Applied, { epoch, shard, seq }: FeedPosition): boolean {
  if (epoch !== applied.epoch) return epoch < applied.epoch;
  return (applied.seqs[shard] ?? 0) >= seq;
}

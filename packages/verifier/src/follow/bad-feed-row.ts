/**
 * A row of the feed that can't be what was written: it does not decode, or stands in a place that is not its
 * own. It stops its shard for the follower that met it; the reason names a member, never a value.
 */
export class BadFeedRow extends Error {
  override readonly name = 'BadFeedRow';
  readonly shard: number;
  readonly seq: number;
  readonly reason: string;

  constructor(shard: number, seq: number, reason: string) {
    super(`feed row ${seq} of shard ${shard} can not be read: ${reason}`);
    this.shard = shard;
    this.seq = seq;
    this.reason = reason;
  }
}

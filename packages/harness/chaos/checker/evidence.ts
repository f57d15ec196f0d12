import type { FaultMark, Operation } from '../history/operation.ts';

/* All that the checker is given. It looks at nothing else, so that a history on disk can be judged again. */

export interface FinalKey {
  readonly keyId: string;
  /** `chaos <number>`, as the run named it. */
  readonly name: string;
  readonly state: string;
  readonly versions: readonly { readonly version: number; readonly state: string }[];
}

/** One shard of the feed, read from the store at the end. */
export interface ShardOfFeed {
  readonly shard: number;
  readonly headSeq: number;
  readonly rows: readonly FeedEntry[];
}

export interface FeedEntry {
  readonly seq: number;
  readonly type: string;
  readonly subject: string;
  /** Revision of the key that it tells of; undefined: it tells of something else. */
  readonly revision: number | undefined;
}

/** An event as a reader of the API was given it, in the order in which it came. */
export interface SeenEvent {
  readonly epoch: number;
  readonly shard: number;
  readonly seq: number;
  readonly type: string;
  readonly subject: string;
}

export interface AuditOfShard {
  readonly shard: number;
  readonly ok: boolean;
  readonly records: number;
  readonly problem: string;
  /** Subjects of the records, with what was done: `key_… key.revoked`. */
  readonly deeds: ReadonlySet<string>;
}

export interface SecretFound {
  readonly where: string;
  /** The key's number, or what else the secret was of. Never the secret. */
  readonly of: string;
}

export interface Evidence {
  readonly operations: readonly Operation[];
  readonly faults: readonly FaultMark[];
  /** T of each keyspace, ms. */
  readonly boundsMs: ReadonlyMap<string, number>;
  readonly finalKeys: readonly FinalKey[];
  readonly feed: readonly ShardOfFeed[];
  readonly events: readonly SeenEvent[];
  readonly audit: readonly AuditOfShard[];
  readonly secrets: {
    readonly bytes: number;
    readonly places: number;
    readonly found: readonly SecretFound[];
  };
}

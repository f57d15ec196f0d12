import type {
  DocumentId,
  DocumentRecord,
  EventType,
  FeedPosition,
  KeyId,
  KeyRecord,
  KeyspaceId,
  KeyspaceRecord,
  OwnerId,
  OwnerRecord,
  WorkspaceId,
} from '@keyswarm/core';

/** Who asked, for the audit record. */
export interface Actor {
  readonly workspaceId: WorkspaceId;
  /** The management key that authenticated the request; null for the server itself (bootstrap). */
  readonly keyId: KeyId | null;
  readonly requestId: string;
  /** Asked right before the write decides, because it may have waited: throws the Fault that refuses this write. */
  readonly recheck?: () => void;
}

export interface WorkspaceRecord {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly createdAtMs: number;
}

/** The state of one thing after the change. Each change becomes one feed row and one audit record. */
export type Change = {
  readonly event: EventType;
  /** Public details for the event and the audit record: no secret, no fingerprint. */
  readonly data: Readonly<Record<string, unknown>>;
} & (
  | { readonly kind: 'key'; readonly after: KeyRecord }
  | { readonly kind: 'owner'; readonly after: OwnerRecord }
  | { readonly kind: 'keyspace'; readonly after: KeyspaceRecord }
  | { readonly kind: 'document'; readonly after: DocumentRecord }
);

/** What a write wants to see before it decides, read in the transaction. Keys are locked, as they are to change. */
export interface Reads {
  readonly keys?: readonly KeyId[];
  readonly owners?: readonly OwnerId[];
  /**
   * Locked as well: whoever changes one, or mints a version for a key whose life hangs on it. Of two such writes
   * one has committed before the other reads the clock, so that a watermark reaches what was minted before it.
   */
  readonly ownersHeld?: readonly OwnerId[];
  readonly keyspaces?: readonly KeyspaceId[];
  /** Locked, as keys are. Only those of the lane's own shard. */
  readonly documents?: readonly DocumentId[];
  /** Is a version with this fingerprint (32 bytes) known? Only fingerprints of the lane's own shard. */
  readonly fingerprints?: readonly Uint8Array[];
}

/** What was read, overlaid with what earlier writes of the same batch decided. */
export interface LaneView {
  key(id: KeyId): KeyRecord | undefined;
  owner(id: OwnerId): OwnerRecord | undefined;
  keyspace(id: KeyspaceId): KeyspaceRecord | undefined;
  document(id: DocumentId): DocumentRecord | undefined;
  hasFingerprint(fingerprint: Uint8Array): boolean;
}

export interface Decision<Reply> {
  readonly changes: readonly Change[];
  /** Owners first seen by this write: inserted unless they exist. They cause no feed row of their own. */
  readonly newOwners?: readonly OwnerRecord[];
  readonly newWorkspace?: WorkspaceRecord;
  /** Documents that are made or changed without an event, such as how far a sweep has come; one revision on. */
  readonly documents?: readonly DocumentRecord[];
  readonly reply: Reply;
}

/** How a repeated request is recognised and its reply kept (design: P5). All hashes are 32 bytes. */
export interface IdempotencyTicket<Reply> {
  /** Hash of workspace, caller and Idempotency-Key. */
  readonly keyHash: Uint8Array;
  /** Hash of method, path and body. Another one for the same key is `idempotency_mismatch`. */
  readonly requestHash: Uint8Array;
  readonly seal: (kept: Kept<Reply>) => Uint8Array;
  readonly open: (sealed: Uint8Array) => Kept<Reply>;
}

/** What a write came to: its reply, and where it stands, so that a replay says both as the first time. */
export interface Kept<Reply> {
  readonly reply: Reply;
  /** Of its last change in the feed; the ones before it have the numbers before it. Null: it changed nothing. */
  readonly at: FeedPosition | null;
}

export interface LaneWrite<Reply> {
  /** The lane it queues in: the shard of the thing that it changes. */
  readonly shard: number;
  /** Rows it will write, for the bound of a batch (1, or the length of a bulk request). */
  readonly weight: number;
  readonly actor: Actor;
  readonly reads: Reads;
  /**
   * Pure and synchronous; may run more than once. Throwing a `Fault` refuses this write alone: its neighbours
   * in the batch are not touched. `nowMs` is of the store's clock, read when all that is locked was locked.
   */
  decide(view: LaneView, nowMs: number): Decision<Reply>;
  readonly idempotency?: IdempotencyTicket<Reply>;
}

export interface LaneReceipt<Reply> extends Kept<Reply> {
  /** True when the reply is that of an earlier request with the same Idempotency-Key. */
  readonly replayed: boolean;
}

/** The write port of the use-case rooms. */
export interface Lanes {
  /**
   * The shard that new things of this weight had best be made in, where any would do: that of the lane whose batch
   * is filling. Scattered over all lanes, writes that arrive together would share their transactions with few
   * others; over time every shard gets its turn. Only advice: the lane of any shard takes them.
   */
  shardForNew(weight: number): number;
  /** Resolves once the write is durable and applied to this process's own resident table. */
  submit<Reply>(write: LaneWrite<Reply>): Promise<LaneReceipt<Reply>>;
}

import type {
  EventType,
  FeedRow,
  KeyFact,
  KeyId,
  KeyRecord,
  KeyState,
  KeyspaceFact,
  KeyspaceId,
  KeyspaceRecord,
  OwnerFact,
  OwnerId,
  OwnerKind,
  OwnerRecord,
  WorkspaceId,
} from '@keyswarm/core';

export interface KeyFilter {
  readonly keyspaceId?: KeyspaceId | undefined;
  readonly ownerId?: OwnerId | undefined;
  /** As of `nowMs` of the call. */
  readonly state?: KeyState | undefined;
}

export interface Page<Id> {
  /** Exclusive; absent: from the first. */
  readonly after?: Id | undefined;
  readonly limit: number;
}

export interface EventQuery {
  /** One sequence number a shard, exclusive; absent: from the oldest that is kept. */
  readonly after?: readonly number[] | undefined;
  readonly types?: readonly EventType[] | undefined;
  readonly limit: number;
}

export interface EventPage {
  /** Ascending by time, and by sequence within a shard. */
  readonly rows: readonly FeedRow[];
  /** Where to go on from: never behind what was asked, even when no row matched. */
  readonly next: readonly number[];
/** What a verifier may run on. */
export interface Lease {
  readonly leaseMs: number;
  /** Until when one that has not heard of a lowered lease may run on the former; null: never lowered. */
  readonly formerUntilMs: number | null;
}

export interface Leases {
  /** The store's own clock, read after what was committed before the call became visible. */
  readonly nowMs: number;
  readonly keyspaces: ReadonlyMap<KeyspaceId, Lease>;
  /** The longest of all keyspaces of the workspace. */
  readonly workspaces: ReadonlyMap<WorkspaceId, Lease>;
}

  readonly epoch: number;
}

/** Read port of the use-case rooms. Everything is bound to a workspace: what belongs to another is not there. */
export interface Reader {
  key(workspaceId: WorkspaceId, id: KeyId): Promise<KeyRecord | undefined>;
  keys(
    workspaceId: WorkspaceId,
    filter: KeyFilter,
    page: Page<KeyId>,
    nowMs: number,
  ): Promise<readonly KeyRecord[]>;
  owner(workspaceId: WorkspaceId, id: OwnerId): Promise<OwnerRecord | undefined>;
  owners(
    workspaceId: WorkspaceId,
    filter: { readonly kind?: OwnerKind | undefined; readonly externalId?: string | undefined },
    page: Page<OwnerId>,
  ): Promise<readonly OwnerRecord[]>;
  /** Not bound to one workspace: it is asked for several changes at once, and only of what they have just written. */
  leases(wanted: {
    readonly keyspaces: readonly KeyspaceId[];
    readonly workspaces: readonly WorkspaceId[];
  }): Promise<Leases>;
  keyspace(workspaceId: WorkspaceId, id: KeyspaceId): Promise<KeyspaceRecord | undefined>;
  keyspaceByName(workspaceId: WorkspaceId, name: string): Promise<KeyspaceRecord | undefined>;
  keyspaces(workspaceId: WorkspaceId, page: Page<KeyspaceId>): Promise<readonly KeyspaceRecord[]>;
  events(workspaceId: WorkspaceId, query: EventQuery): Promise<EventPage>;
}

export interface Heads {
  readonly epoch: number;
  /** Index is the shard. */
  readonly seqs: readonly number[];
}

export interface SnapshotSink {
  key(fact: KeyFact): void;
  owner(fact: OwnerFact): void;
  keyspace(fact: KeyspaceFact): void;
}

/** What a follower needs of the store: the heads, the rows up to them, and a consistent start. */
export interface FeedSource {
  heads(): Promise<Heads>;
  /** Rows after `after` up to `upTo`, ascending without a hole; `gone` when retention has passed `after`. */
  rows(
    shard: number,
    range: { readonly after: number; readonly upTo: number; readonly limit: number },
  ): Promise<readonly FeedRow[] | 'gone'>;
  /** Streams every fact of one consistent state into `sink`, and says at which heads it was taken. */
  snapshot(sink: SnapshotSink): Promise<Heads>;
}

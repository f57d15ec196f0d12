import type {
  CampaignId,
  DocumentId,
  DocumentRecord,
  EventType,
  FeedRow,
  KeyId,
  KeyRecord,
  KeyState,
  KeyspaceId,
  KeyspaceRecord,
  OwnerId,
  OwnerKind,
  OwnerRecord,
  VersionState,
  WorkspaceId,
} from '@keyswarm/core';
import type { SelectKeys } from './statements/campaign-keys.ts';
import type { DocumentList } from './statements/documents.ts';

export interface KeyFilter {
  readonly keyspaceId?: KeyspaceId | undefined;
  readonly ownerId?: OwnerId | undefined;
  /** Given for this enrollment key. */
  readonly enrolledBy?: KeyId | undefined;
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
  readonly epoch: number;
}

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

/** One secret of a key as it is stored: a grace that has run out since may still say `grace`. */
export interface LineageVersion {
  readonly number: number;
  readonly state: VersionState;
  readonly mintedAtMs: number;
  /** When its grace ends or ended, or it was retired; null while it is active. */
  readonly retiresAtMs: number | null;
  /** As far as verifiers have told: while the key was rotating. */
  readonly firstUsedMs: number | null;
  readonly lastUsedMs: number | null;
}

/** A place in the order of keys by their end. */
export interface EndPlace {
  readonly expiresAtMs: number;
  /** Null: before the first of that instant. */
  readonly id: KeyId | null;
}

export interface EndingKeys {
  readonly shard: number;
  /** Exclusive. */
  readonly after: EndPlace;
  /** Inclusive. */
  readonly untilMs: number;
  /** Of their whole life, from when they were made; null: without an upper bound. */
  readonly lifeMsMin: number;
  readonly lifeMsBelow: number | null;
  readonly limit: number;
}

export interface EndingKey {
  readonly id: KeyId;
  readonly ownerId: OwnerId;
  readonly keyspaceId: KeyspaceId;
  readonly expiresAtMs: number;
}

/** `[version, list, index, expires at]`, as the key's traits keep it. */
export type TokenPlaceRow = readonly [number, number, number, number];

export interface TokenPlacesRow {
  readonly tokens: readonly TokenPlaceRow[];
  readonly state: 'active' | 'suspended' | 'revoked';
  readonly owner_state: 'active' | 'suspended';
  readonly owner_not_before_ms: number | string | null;
  /** `[number, state, minted at, retires at]` of every version there ever was. */
  readonly versions: readonly (readonly [number, string, number, number | null])[];
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
  /** Versions of the key with numbers under `before`, all of them where it is absent; newest first. */
  lineage(
    workspaceId: WorkspaceId,
    id: KeyId,
    page: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<readonly LineageVersion[]>;
  owner(workspaceId: WorkspaceId, id: OwnerId): Promise<OwnerRecord | undefined>;
  owners(
    workspaceId: WorkspaceId,
    filter: { readonly kind?: OwnerKind | undefined; readonly externalId?: string | undefined },
    page: Page<OwnerId>,
  ): Promise<readonly OwnerRecord[]>;
  keyspace(workspaceId: WorkspaceId, id: KeyspaceId): Promise<KeyspaceRecord | undefined>;
  /** Of these, who is suspended: keys under them are refused, whatever their own state. */
  suspended(among: {
    readonly owners: readonly OwnerId[];
    readonly keyspaces: readonly KeyspaceId[];
  }): Promise<ReadonlySet<OwnerId | KeyspaceId>>;
  keyspaceByName(workspaceId: WorkspaceId, name: string): Promise<KeyspaceRecord | undefined>;
  keyspaces(workspaceId: WorkspaceId, page: Page<KeyspaceId>): Promise<readonly KeyspaceRecord[]>;
  /** Not bound to one workspace: it is asked for several changes at once, and only of what they have just written. */
  leases(wanted: {
    readonly keyspaces: readonly KeyspaceId[];
    readonly workspaces: readonly WorkspaceId[];
  }): Promise<Leases>;
  /** Not bound to a workspace: what the house does by itself reads them too. Whoever serves a caller looks whose it is. */
  document(id: DocumentId): Promise<DocumentRecord | undefined>;
  /** Of the tokens of a keyspace that something may refuse (`all`: of all), whose they are and where they stand. */
  tokenPlaces(wanted: {
    readonly keyspaceId: KeyspaceId;
    readonly all: boolean;
  }): Promise<readonly TokenPlacesRow[]>;
  /** Ascending by id. */
  documents(list: DocumentList): Promise<readonly DocumentRecord[]>;
  /** What campaigns ask, of one shard; not bound to a workspace, since the keyspaces are of one. */
  campaignKeys(wish: SelectKeys): Promise<readonly KeyId[]>;
  /** How many of them there are, as far as `limit`. */
  countCampaignKeys(wish: SelectKeys): Promise<number>;
  /** Keys that the campaign has asked to renew, ascending by id. */
  askedKeys(wish: {
    readonly shard: number;
    readonly campaignId: CampaignId;
    readonly after: KeyId | null;
    readonly limit: number;
  }): Promise<readonly KeyId[]>;
  countAskedKeys(wish: {
    readonly campaignId: CampaignId;
    readonly nowMs: number;
  }): Promise<{ readonly renewed: number; readonly open: number }>;
  /** Of all workspaces, ascending by their end: what the sweep goes through. */
  endingKeys(wish: EndingKeys): Promise<readonly EndingKey[]>;
  events(workspaceId: WorkspaceId, query: EventQuery): Promise<EventPage>;
  /** Where every shard of the feed ends: all up to it is committed. */
  heads(): Promise<{ readonly epoch: number; readonly seqs: readonly number[] }>;
}

import type { DocumentKind, JsonObject } from '@keyswarm/core';
import type {
  KeyRow,
  KeyspaceRow,
  OwnerRow,
  VersionRow,
} from '@keyswarm/server/rooms/storage/statements/record-rows';

/* The tables of the schema, a map each. A name of a row is `shard/…`, as every primary key leads with the shard. */

export interface HeadRow {
  readonly shard: number;
  readonly epoch: number;
  readonly seq: number;
  readonly hashHex: string;
}

export interface FeedRowStored {
  readonly shard: number;
  readonly seq: number;
  readonly day: string;
  readonly type: string;
  readonly body: string;
}

export interface AuditRow {
  readonly shard: number;
  readonly seq: number;
  readonly body: string;
  readonly hashHex: string;
}

export interface ReplyRow {
  readonly keyHashHex: string;
  readonly requestHashHex: string;
  readonly replyHex: string;
  readonly expiresAtMs: number;
}

export interface DocumentRow {
  readonly id: string;
  readonly kind: DocumentKind;
  readonly workspace_id: string;
  readonly body: JsonObject;
  readonly created_at: number;
  readonly updated_at: number;
  readonly revision: number;
}

export interface UseRow {
  readonly first_used_at: number;
  readonly last_used_at: number;
}

export interface RelayRow {
  readonly relay_id: string;
  readonly name: string;
  readonly region: string | null;
  readonly heads: unknown;
  readonly lease_age_ms: number | null;
  readonly seen_at: number;
  readonly wanted_at: number | null;
}

export interface VerifierRow {
  readonly relay_id: string;
  readonly workspace_id: string;
  readonly credential_id: string;
  readonly verifier_id: string;
  readonly name: string;
  readonly region: string | null;
  readonly kind: string;
  readonly applied: unknown;
  readonly lease_age_ms: number | null;
  readonly downstream: unknown;
  readonly active: boolean;
  readonly seen_at: number;
  readonly reach: unknown;
}

export class Table<Row> {
  readonly name: string;
  readonly rows = new Map<string, Row>();

  constructor(name: string) {
    this.name = name;
  }
}

/** Of its shard. */
export type InShard<Row> = Row & { readonly shard: number };

export function newTables() {
  return {
    settings: new Table<{ readonly shards: number }>('settings'),
    workspaces: new Table<{ readonly id: string; readonly name: string }>('workspaces'),
    keyspaces: new Table<InShard<KeyspaceRow>>('keyspaces'),
    owners: new Table<InShard<OwnerRow>>('owners'),
    keys: new Table<InShard<KeyRow>>('keys'),
    /** All versions of a key, ascending. */
    versions: new Table<readonly VersionRow[]>('key_versions'),
    /** Which version has it: `key id#number`. */
    fingerprints: new Table<string>('fingerprints'),
    uses: new Table<UseRow>('version_uses'),
    heads: new Table<HeadRow>('feed_heads'),
    feed: new Table<FeedRowStored>('feed'),
    audit: new Table<AuditRow>('audit'),
    replies: new Table<ReplyRow>('idempotency'),
    documents: new Table<InShard<DocumentRow>>('documents'),
    relays: new Table<RelayRow>('relay_state'),
    verifiers: new Table<VerifierRow>('verifier_state'),
    /** Days that have a partition of their own. */
    days: new Table<string>('days'),
  };
}

export type Tables = ReturnType<typeof newTables>;

/** The name of a row. */
export const rowName = (shard: number, ...rest: readonly (string | number)[]): string =>
  `${shard}/${rest.join('/')}`;

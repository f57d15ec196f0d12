import {
  decodeKeyspaceRules,
  decodeKeyTraits,
  idFromUuidText,
  type KeyFormat,
  type KeyRecord,
  type KeyspaceRecord,
  type KeyVersion,
  type OwnerKind,
  type OwnerRecord,
  type StoredKeyState,
  type VersionState,
  versionsKeptMax,
} from '@keyswarm/core';

/*
 * Between rows and records: which columns make one, and what they are called. Every statement that reads a
 * thing selects these columns, so that a new column is added in one place.
 */

export const keyColumns =
  'k.id, k.workspace_id, k.keyspace_id, k.owner_id, k.name, k.scopes, k.metadata, k.state, k.not_before, ' +
  'k.expires_at, k.created_at, k.revoked_at, k.revoke_reason, k.traits, k.revision';

export interface KeyRow {
  readonly id: string;
  readonly workspace_id: string;
  readonly keyspace_id: string;
  readonly owner_id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly state: StoredKeyState;
  readonly not_before: number | null;
  readonly expires_at: number | null;
  readonly created_at: number;
  readonly revoked_at: number | null;
  readonly revoke_reason: string | null;
  readonly traits: Readonly<Record<string, unknown>> | null;
  readonly revision: number;
}

export const versionColumns = 'v.key_id, v.number, v.fingerprint, v.state, v.minted_at, v.retires_at';

export interface VersionRow {
  readonly key_id: string;
  readonly number: number;
  readonly fingerprint: Uint8Array;
  readonly state: VersionState;
  readonly minted_at: number;
  readonly retires_at: number | null;
}

export const ownerColumns =
  'o.id, o.workspace_id, o.kind, o.external_id, o.state, o.keys_not_before, o.created_at, o.revision';

export interface OwnerRow {
  readonly id: string;
  readonly workspace_id: string;
  readonly kind: OwnerKind;
  readonly external_id: string;
  readonly state: 'active' | 'suspended';
  readonly keys_not_before: number | null;
  readonly created_at: number;
  readonly revision: number;
}

export const keyspaceColumns =
  's.id, s.workspace_id, s.name, s.prefix, s.format, s.allowed_scopes, s.default_ttl_seconds, s.max_ttl_seconds, ' +
  's.max_grace_seconds, s.lease_seconds, s.former_lease_until, s.state, s.keys_not_before, s.created_at, s.rules, s.revision';

export interface KeyspaceRow {
  readonly id: string;
  readonly workspace_id: string;
  readonly name: string;
  readonly prefix: string;
  readonly format: KeyFormat;
  readonly allowed_scopes: readonly string[];
  readonly default_ttl_seconds: number | null;
  readonly max_ttl_seconds: number | null;
  readonly max_grace_seconds: number;
  readonly lease_seconds: number;
  readonly former_lease_until: number | null;
  readonly state: 'active' | 'suspended';
  readonly keys_not_before: number | null;
  readonly created_at: number;
  readonly rules: Readonly<Record<string, unknown>> | null;
  readonly revision: number;
}

export function keyRecordOf(row: KeyRow, versions: readonly KeyVersion[]): KeyRecord {
  return {
    id: idFromUuidText('key', row.id),
    workspaceId: idFromUuidText('ws', row.workspace_id),
    keyspaceId: idFromUuidText('ks', row.keyspace_id),
    ownerId: idFromUuidText('own', row.owner_id),
    name: row.name,
    scopes: row.scopes,
    metadata: row.metadata,
    state: row.state,
    notBeforeMs: row.not_before,
    expiresAtMs: row.expires_at,
    createdAtMs: row.created_at,
    revokedAtMs: row.revoked_at,
    revokeReason: row.revoke_reason,
    traits: decodeKeyTraits(row.traits),
    revision: row.revision,
    versions,
  };
}

/** Puts keys and their versions together: the newest few of each, ascending by number. */
export function keyRecordsOf(keys: readonly KeyRow[], versions: readonly VersionRow[]): readonly KeyRecord[] {
  const versionsByKey = new Map<string, KeyVersion[]>();
  for (const row of versions) {
    const list = versionsByKey.get(row.key_id);
    if (list === undefined) versionsByKey.set(row.key_id, [versionOf(row)]);
    else list.push(versionOf(row));
  }
  return keys.map((row) => {
    const newest = (versionsByKey.get(row.id) ?? []).sort((a, b) => a.number - b.number);
    return keyRecordOf(row, newest.slice(-versionsKeptMax));
  });
}

function versionOf(row: VersionRow): KeyVersion {
  return {
    number: row.number,
    fingerprint: row.fingerprint,
    state: row.state,
    mintedAtMs: row.minted_at,
    retiresAtMs: row.retires_at,
  };
}

export function ownerRecordOf(row: OwnerRow): OwnerRecord {
  return {
    id: idFromUuidText('own', row.id),
    workspaceId: idFromUuidText('ws', row.workspace_id),
    kind: row.kind,
    externalId: row.external_id,
    state: row.state,
    keysNotBeforeMs: row.keys_not_before,
    createdAtMs: row.created_at,
    revision: row.revision,
  };
}

export function keyspaceRecordOf(row: KeyspaceRow): KeyspaceRecord {
  return {
    id: idFromUuidText('ks', row.id),
    workspaceId: idFromUuidText('ws', row.workspace_id),
    name: row.name,
    prefix: row.prefix,
    format: row.format,
    allowedScopes: row.allowed_scopes,
    defaultTtlSeconds: row.default_ttl_seconds,
    maxTtlSeconds: row.max_ttl_seconds,
    maxGraceSeconds: row.max_grace_seconds,
    leaseSeconds: row.lease_seconds,
    ...decodeKeyspaceRules(row.rules),
    formerLeaseUntilMs: row.former_lease_until,
    state: row.state,
    keysNotBeforeMs: row.keys_not_before,
    createdAtMs: row.created_at,
    revision: row.revision,
  };
}

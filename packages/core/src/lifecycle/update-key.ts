import { refuseLongerLife, requireApproved } from '../approvals/scope-to-approve.ts';
import { assert } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import { scopesPerKeyMax } from '../limits/limits.ts';
import { admit, changeKey } from './admit.ts';
import { checkExpiryMs } from './check-expiry.ts';
import { checkMetadata, checkName, checkScopes } from './check-fields.ts';
import type { KeyRecord, KeyspaceRecord, KeyVersion } from './key-record.ts';
import type { KeyTraits } from './key-traits.ts';
import { effectiveExpiryMs } from './states.ts';

export interface UpdateKey {
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  /** Replaces all of it. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Null: never, where the keyspace sets no maximum. */
  readonly expiresAtMs?: number | null | undefined;
}

/** Changes what the patch names and leaves the rest. A patch that names nothing is refused. */
export function updateKey(
  key: KeyRecord,
  keyspace: KeyspaceRecord,
  patch: UpdateKey,
  nowMs: number,
): KeyRecord {
  assert(keyspace.id === key.keyspaceId, "a key is updated under its own keyspace's policy");
  admit(key, 'update', nowMs);
  const { name, scopes, metadata, expiresAtMs } = patch;
  if (name === undefined && scopes === undefined && metadata === undefined && expiresAtMs === undefined) {
    throw new Fault('missing_field', {
      detail: 'There is nothing to change.',
      field: '',
      expected: 'at least one of name, scopes, metadata and expires_at',
    });
  }
  const change = {
    name: name === undefined ? key.name : checkName(name),
    scopes: scopes === undefined ? key.scopes : checkKeyScopes(scopes, keyspace),
    metadata: metadata === undefined ? key.metadata : checkMetadata(metadata),
    expiresAtMs:
      expiresAtMs === undefined ? key.expiresAtMs : checkNewExpiryMs(key, keyspace, expiresAtMs, nowMs),
  };
  // What it holds already was agreed to, or is older than the rule.
  requireApproved(keyspace, change.scopes, key.scopes);
  refuseLongerLife(keyspace, { scopes: change.scopes, expiresAtMs: key.expiresAtMs }, change.expiresAtMs);
  const versions = key.versions.map((version) => shorten(version, change));
  const traits = traitsAfter(key, expiresAtMs);
  return changeKey(key, { ...change, traits, versions }, nowMs);
}

/** An end that was named here is not moved by a renewal; one that was taken away leaves none to move. */
function traitsAfter(key: KeyRecord, expiresAtMs: number | null | undefined): KeyTraits {
  if (expiresAtMs === undefined) return key.traits;
  const { endsFixed: _fixed, renewed, ...traits } = key.traits;
  return {
    ...traits,
    ...(renewed === undefined ? {} : { renewed: { ...renewed, lifeMs: null } }),
    ...(expiresAtMs === null ? {} : { endsFixed: true }),
  };
}

function checkKeyScopes(scopes: readonly string[], keyspace: KeyspaceRecord): readonly string[] {
  return checkScopes(scopes, {
    field: '/scopes',
    countMax: scopesPerKeyMax,
    allowed: keyspace.allowedScopes,
  });
}

function checkNewExpiryMs(
  key: KeyRecord,
  keyspace: KeyspaceRecord,
  expiresAtMs: number | null,
  nowMs: number,
): number | null {
  const newest = key.versions.at(-1);
  assert(newest !== undefined, 'a key has at least one version');
  const life = { nowMs, mintedAtMs: newest.mintedAtMs, notBeforeMs: key.notBeforeMs, keyspace };
  return checkExpiryMs(expiresAtMs, '/expires_at', life);
}

/** An earlier expiry takes a running grace with it; a later one does not lengthen it. */
function shorten(version: KeyVersion, key: Pick<KeyRecord, 'expiresAtMs'>): KeyVersion {
  if (version.state !== 'grace') return version;
  return { ...version, retiresAtMs: effectiveExpiryMs(key, version) };
}

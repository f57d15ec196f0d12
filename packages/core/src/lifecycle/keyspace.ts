import { Fault } from '../errors/fault.ts';
import type { KeyspaceId, WorkspaceId } from '../ids/ids.ts';
import { isPrefix } from '../key-format/key-format.ts';
import {
  commitMsMax,
  effectiveByMs,
  jwtTtlSecondsMax,
  keyspaceNameLengthMax,
  leaseDefaultSeconds,
  leaseSecondsMax,
  leaseSecondsMin,
  maxGraceDefaultSeconds,
  maxGraceSecondsMax,
  prefixLengthMax,
  scopesPerKeyspaceMax,
  ttlSecondsMax,
} from '../limits/limits.ts';
import { isScopeSegment } from '../scopes/scopes.ts';
import { checkInteger, checkScopes } from './check-fields.ts';
import type { KeyFormat, KeyspaceRecord } from './key-record.ts';
import { type KeyspaceRulesPatch, patchRules, rulesDefault } from './keyspace-rules.ts';

/*
 * A family of keys for one access point, with its policy. Name, prefix and format are for ever: they stand in
 * key strings and in scopes. The rest can change, and a change rules what is issued, rotated or updated from
 * then on; keys that exist keep what they have.
 */

/** The keyspace of the management keys; each workspace has one. */
export const builtinKeyspaceName = 'keyswarm';
export const builtinPrefix = 'keyswarm';

export interface KeyspacePolicy extends KeyspaceRulesPatch {
  /** What keys may be given: each scope of a key must be covered by one of these. */
  readonly allowedScopes: readonly string[];
  readonly defaultTtlSeconds?: number | null | undefined;
  readonly maxTtlSeconds?: number | null | undefined;
  readonly maxGraceSeconds?: number | undefined;
  readonly leaseSeconds?: number | undefined;
}

export interface CreateKeyspace extends KeyspacePolicy {
  readonly id: KeyspaceId;
  readonly workspaceId: WorkspaceId;
  readonly name: string;
  readonly prefix: string;
  /** `opaque` when absent. */
  readonly format?: KeyFormat | undefined;
}

export function createKeyspace(wish: CreateKeyspace, nowMs: number): KeyspaceRecord {
  if (wish.name === builtinKeyspaceName) {
    throw new Fault('name_taken', { detail: 'This is the name of the built-in keyspace.', field: '/name' });
  }
  if (wish.prefix === builtinPrefix) {
    throw new Fault('invalid_prefix', {
      detail: 'This prefix marks management keys.',
      field: '/prefix',
      expected: `any other prefix than ${builtinPrefix}`,
    });
  }
  return checkPolicy(newKeyspace(wish, nowMs));
}

/** The keyspace of a workspace's management keys. Any scope may be granted in it, by whoever holds that scope. */
export function builtinKeyspace(
  wish: { readonly id: KeyspaceId; readonly workspaceId: WorkspaceId },
  nowMs: number,
): KeyspaceRecord {
  return newKeyspace(
    { ...wish, name: builtinKeyspaceName, prefix: builtinPrefix, allowedScopes: ['*'] },
    nowMs,
  );
}

export function isBuiltinKeyspace(keyspace: Pick<KeyspaceRecord, 'name'>): boolean {
  return keyspace.name === builtinKeyspaceName;
}

export type KeyspacePatch = { readonly [Field in keyof KeyspacePolicy]?: KeyspacePolicy[Field] | undefined };

export function updateKeyspace(
  keyspace: KeyspaceRecord,
  patch: KeyspacePatch,
  nowMs: number,
): KeyspaceRecord {
  if (Object.values(patch).every((value) => value === undefined)) {
    throw new Fault('missing_field', {
      detail: 'There is nothing to change.',
      field: '',
      expected:
        'at least one of allowed_scopes, default_ttl_seconds, max_ttl_seconds, max_grace_seconds, lease_seconds, proof, rotation, approval, token',
    });
  }
  if (patch.allowedScopes !== undefined) refuseBuiltin(keyspace, '/allowed_scopes');
  if (patch.proof !== undefined) refuseBuiltin(keyspace, '/proof');
  const { proof, rotation, approval, token } = patch;
  const leaseSeconds = patch.leaseSeconds ?? keyspace.leaseSeconds;
  return checkPolicy({
    ...keyspace,
    allowedScopes: patch.allowedScopes ?? keyspace.allowedScopes,
    defaultTtlSeconds: patched(patch.defaultTtlSeconds, keyspace.defaultTtlSeconds),
    maxTtlSeconds: patched(patch.maxTtlSeconds, keyspace.maxTtlSeconds),
    maxGraceSeconds: patch.maxGraceSeconds ?? keyspace.maxGraceSeconds,
    leaseSeconds,
    formerLeaseUntilMs: formerLeaseUntilMs(keyspace, leaseSeconds, nowMs),
    ...patchRules(keyspace, { proof, rotation, approval, token }),
    revision: keyspace.revision + 1,
  });
}

/** Refuses every key of the keyspace at once. The built-in one can't be: nobody could resume it. */
export function suspendKeyspace(keyspace: KeyspaceRecord, _nowMs: number): KeyspaceRecord {
  refuseBuiltin(keyspace, 'id');
  if (keyspace.state === 'suspended') {
    throw new Fault('already_suspended', { detail: 'The keyspace is already suspended.', field: 'id' });
  }
  return { ...keyspace, state: 'suspended', revision: keyspace.revision + 1 };
}

export function resumeKeyspace(keyspace: KeyspaceRecord, _nowMs: number): KeyspaceRecord {
  if (keyspace.state !== 'suspended') {
    throw new Fault('not_suspended', { detail: 'The keyspace is not suspended.', field: 'id' });
  }
  return { ...keyspace, state: 'active', revision: keyspace.revision + 1 };
}

/**
 * Revokes every version that the keyspace's keys have by now, in one change, as `revokeOwnerKeys` does for an owner. Not
 * for the built-in one, where it would leave nobody who could issue a key.
 */
export function revokeKeyspaceKeys(keyspace: KeyspaceRecord, nowMs: number): KeyspaceRecord {
  refuseBuiltin(keyspace, 'id');
  const keysNotBeforeMs = Math.max(nowMs, (keyspace.keysNotBeforeMs ?? -1) + 1);
  return { ...keyspace, keysNotBeforeMs, revision: keyspace.revision + 1 };
}

/**
 * The second half of it, once the first is committed. A rotation that had read the keyspace before that commit may
 * have dated its version after the first watermark; none can have after the commit, which came within `commitMsMax`.
 * Moved to there, the watermark reaches all of them, and rotations of the keyspace need not wait for each other on
 * its row. Where the watermark is no more the one that was set, somebody has moved it since, and there is nothing to do.
 */
export function closeKeyspaceRevocation(
  keyspace: KeyspaceRecord,
  begunAtMs: number,
  nowMs: number,
): KeyspaceRecord | undefined {
  if (keyspace.keysNotBeforeMs !== begunAtMs) return undefined;
  const keysNotBeforeMs = Math.max(begunAtMs + 1, Math.min(nowMs, begunAtMs + commitMsMax));
  return { ...keyspace, keysNotBeforeMs, revision: keyspace.revision + 1 };
}

function newKeyspace(wish: CreateKeyspace, nowMs: number): KeyspaceRecord {
  return {
    id: wish.id,
    workspaceId: wish.workspaceId,
    name: checkKeyspaceName(wish.name),
    prefix: checkPrefix(wish.prefix),
    format: wish.format ?? 'opaque',
    allowedScopes: wish.allowedScopes,
    defaultTtlSeconds: wish.defaultTtlSeconds ?? null,
    maxTtlSeconds: wish.maxTtlSeconds ?? null,
    maxGraceSeconds: wish.maxGraceSeconds ?? maxGraceDefaultSeconds,
    leaseSeconds: wish.leaseSeconds ?? leaseDefaultSeconds,
    formerLeaseUntilMs: null,
    ...patchRules(rulesDefault, {
      proof: wish.proof,
      rotation: wish.rotation,
      approval: wish.approval,
      token: wish.token,
    }),
    state: 'active',
    keysNotBeforeMs: null,
    createdAtMs: nowMs,
    revision: 1,
  };
}

/**
 * A verifier that has not heard of a lowered lease holds a proof from before the commit, and runs on the former lease
 * from there. The clock was read before that commit, so what the commit may take is added: the worse error is a
 * bound that is promised too early.
 */
function formerLeaseUntilMs(keyspace: KeyspaceRecord, leaseSeconds: number, nowMs: number): number | null {
  if (leaseSeconds >= keyspace.leaseSeconds) return keyspace.formerLeaseUntilMs;
  const untilMs = effectiveByMs(nowMs + commitMsMax, keyspace.leaseSeconds * 1000);
  return Math.max(untilMs, keyspace.formerLeaseUntilMs ?? 0);
}

/** Null is a value here ("no limit"), so only undefined means "as it was". */
function patched(value: number | null | undefined, present: number | null): number | null {
  return value === undefined ? present : value;
}

function checkPolicy(keyspace: KeyspaceRecord): KeyspaceRecord {
  const { defaultTtlSeconds, maxTtlSeconds } = keyspace;
  const ttl = { min: 1, max: ttlSecondsMax, unit: 'seconds' };
  if (maxTtlSeconds !== null) checkInteger(maxTtlSeconds, '/max_ttl_seconds', ttl);
  if (keyspace.format === 'jwt') checkTokenTtl(maxTtlSeconds);
  if (defaultTtlSeconds !== null) {
    checkInteger(defaultTtlSeconds, '/default_ttl_seconds', ttl);
    if (maxTtlSeconds !== null && defaultTtlSeconds > maxTtlSeconds) {
      throw new Fault('ttl_too_long', {
        detail: 'The default time to live is over the maximum.',
        field: '/default_ttl_seconds',
        expected: `1 to ${maxTtlSeconds} seconds`,
      });
    }
  }
  checkInteger(keyspace.maxGraceSeconds, '/max_grace_seconds', {
    min: 0,
    max: maxGraceSecondsMax,
    unit: 'seconds',
  });
  checkInteger(keyspace.leaseSeconds, '/lease_seconds', {
    min: leaseSecondsMin,
    max: leaseSecondsMax,
    unit: 'seconds',
  });
  const allowedScopes = checkScopes(keyspace.allowedScopes, {
    field: '/allowed_scopes',
    countMax: scopesPerKeyspaceMax,
  });
  return { ...keyspace, allowedScopes };
}

/** A token can't be taken back from whoever reads no feed and no status list: so each of them ends. */
function checkTokenTtl(maxTtlSeconds: number | null): void {
  if (maxTtlSeconds !== null && maxTtlSeconds <= jwtTtlSecondsMax) return;
  throw new Fault('ttl_too_long', {
    detail: 'Keys that are tokens have to expire.',
    field: '/max_ttl_seconds',
    expected: `1 to ${jwtTtlSecondsMax} seconds`,
  });
}

/** One segment of a scope; not `ks_…`, because where a keyspace is asked for, an id or a name may stand. */
function checkKeyspaceName(name: string): string {
  const fits = typeof name === 'string' && name.length <= keyspaceNameLengthMax && isScopeSegment(name);
  if (fits && !name.startsWith('ks_')) return name;
  throw new Fault('invalid_field', {
    detail: 'The name is not that of a keyspace.',
    field: '/name',
    expected: `1 to ${keyspaceNameLengthMax} of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit and not with "ks_"`,
  });
}

function checkPrefix(prefix: string): string {
  if (typeof prefix === 'string' && isPrefix(prefix)) return prefix;
  throw new Fault('invalid_prefix', {
    detail: 'The prefix is not well formed.',
    field: '/prefix',
    expected: `1 to ${prefixLengthMax} of a-z, 0-9 and single "_" between them, beginning with a letter`,
  });
}

function refuseBuiltin(keyspace: KeyspaceRecord, field: string): void {
  if (!isBuiltinKeyspace(keyspace)) return;
  throw new Fault('builtin_protected', { detail: 'The built-in keyspace stays as it is here.', field });
}

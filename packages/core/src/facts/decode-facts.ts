import { decodeProofs } from '../lifecycle/version-proof.ts';
import {
  externalIdLengthMax,
  keyspaceNameLengthMax,
  leaseSecondsMax,
  leaseSecondsMin,
  scopesPerKeyMax,
  versionsKeptMax,
  versionsLiveMax,
} from '../limits/limits.ts';
import { isScope, isScopeSegment } from '../scopes/scopes.ts';
import { readSigningKeyFact, type SigningKeyFact } from '../signing/signing-key-fact.ts';
import { FactReader } from './fact-reader.ts';
import type { KeyFact, KeyspaceFact, KeyTraitsFact, OwnerFact, VersionFact } from './facts.ts';
import { fingerprintFactBytes } from './make-facts.ts';

/*
 * Facts out of JSON. A verifier applies what it decodes here without asking again, so everything is checked:
 * shape, bounds, order, and what a fact says about itself. Nothing throws: a bad fact is a value.
 */

/** What could not be read, and why. The reason names a member, never its value, so it can be logged. */
export interface BadRow {
  readonly bad: true;
  readonly reason: string;
}

export function isBadRow(read: object): read is BadRow {
  return 'bad' in read;
}

export function decodeKeyFact(json: unknown): KeyFact | BadRow {
  return decodeWith(readKeyFact, json, 'key');
}

export function decodeOwnerFact(json: unknown): OwnerFact | BadRow {
  return decodeWith(readOwnerFact, json, 'owner');
}

export function decodeKeyspaceFact(json: unknown): KeyspaceFact | BadRow {
  return decodeWith(readKeyspaceFact, json, 'keyspace');
}

export function decodeSigningKeyFact(json: unknown): SigningKeyFact | BadRow {
  return decodeWith(readSigningKeyFact, json, 'signing_key');
}

/** Runs a reader over a value, and gives what it read only if nothing was wrong with it. */
export function decodeWith<Read extends object>(
  read: (reader: FactReader, json: unknown, where: string) => Read,
  json: unknown,
  where: string,
): Read | BadRow {
  const reader = new FactReader();
  const result = read(reader, json, where);
  return reader.problem === undefined ? result : { bad: true, reason: reader.problem };
}

const keyMembers = [
  'id',
  'revision',
  'keyspace_id',
  'owner_id',
  'scopes',
  'state',
  'not_before_ms',
  'expires_at_ms',
  'versions',
];

export function readKeyFact(reader: FactReader, json: unknown, where: string): KeyFact {
  const fields = reader.object(json, where, keyMembers, ['traits']);
  return {
    id: reader.id('key', fields.id, `${where}.id`),
    revision: reader.revision(fields.revision, `${where}.revision`),
    keyspaceId: reader.id('ks', fields.keyspace_id, `${where}.keyspace_id`),
    ownerId: reader.id('own', fields.owner_id, `${where}.owner_id`),
    scopes: readScopes(reader, fields.scopes, `${where}.scopes`),
    state: reader.oneOf(fields.state, `${where}.state`, ['active', 'suspended', 'revoked']),
    notBeforeMs: reader.timeMsOrNull(fields.not_before_ms, `${where}.not_before_ms`),
    expiresAtMs: reader.timeMsOrNull(fields.expires_at_ms, `${where}.expires_at_ms`),
    ...(fields.traits === undefined
      ? {}
      : { traits: readKeyTraits(reader, fields.traits, `${where}.traits`) }),
    versions: readVersions(reader, fields.versions, `${where}.versions`),
  };
}

/** Also of the traits in a snapshot, which are the same JSON. */
export function decodeKeyTraitsFact(json: unknown): KeyTraitsFact | BadRow {
  return decodeWith(readKeyTraits, json, 'traits');
}

const traitMembers = ['renew_after_ms', 'parent_id', 'enrollment', 'proofs'];

function readKeyTraits(reader: FactReader, json: unknown, where: string): KeyTraitsFact {
  const fields = reader.object(json, where, [], traitMembers);
  const { renew_after_ms: renewAfterMs, parent_id: parentId, enrollment } = fields;
  const proofs = decodeProofs(fields.proofs);
  reader.check((fields.proofs === undefined) === (proofs === undefined), `${where}.proofs is not known here`);
  reader.check(enrollment === undefined || enrollment === true, `${where}.enrollment is not true`);
  return {
    ...(renewAfterMs === undefined
      ? {}
      : { renewAfterMs: reader.timeMs(renewAfterMs, `${where}.renew_after_ms`) }),
    ...(parentId === undefined ? {} : { parentId: reader.id('key', parentId, `${where}.parent_id`) }),
    ...(enrollment === undefined ? {} : { enrollment: true }),
    ...(proofs === undefined ? {} : { proofs }),
  };
}

const ownerMembers = ['id', 'revision', 'kind', 'external_id', 'state', 'keys_not_before_ms'];

export function readOwnerFact(reader: FactReader, json: unknown, where: string): OwnerFact {
  const fields = reader.object(json, where, ownerMembers);
  return {
    id: reader.id('own', fields.id, `${where}.id`),
    revision: reader.revision(fields.revision, `${where}.revision`),
    kind: reader.oneOf(fields.kind, `${where}.kind`, ['service', 'integration', 'user']),
    externalId: reader.text(fields.external_id, `${where}.external_id`, externalIdLengthMax),
    state: reader.oneOf(fields.state, `${where}.state`, ['active', 'suspended']),
    keysNotBeforeMs: reader.timeMsOrNull(fields.keys_not_before_ms, `${where}.keys_not_before_ms`),
  };
}

const keyspaceMembers = ['id', 'workspace_id', 'revision', 'name', 'state', 'lease_ms', 'keys_not_before_ms'];

export function readKeyspaceFact(reader: FactReader, json: unknown, where: string): KeyspaceFact {
  const fields = reader.object(json, where, keyspaceMembers, ['proof']);
  const name = reader.text(fields.name, `${where}.name`, keyspaceNameLengthMax);
  const { proof } = fields;
  reader.check(proof === undefined || proof === 'signature', `${where}.proof is not known here`);
  reader.check(isScopeSegment(name), `${where}.name is not the name of a keyspace`);
  return {
    id: reader.id('ks', fields.id, `${where}.id`),
    workspaceId: reader.id('ws', fields.workspace_id, `${where}.workspace_id`),
    revision: reader.revision(fields.revision, `${where}.revision`),
    name,
    state: reader.oneOf(fields.state, `${where}.state`, ['active', 'suspended']),
    leaseMs: reader.integer(
      fields.lease_ms,
      `${where}.lease_ms`,
      leaseSecondsMin * 1000,
      leaseSecondsMax * 1000,
    ),
    ...(proof === undefined ? {} : { proof: 'signature' }),
    keysNotBeforeMs: reader.timeMsOrNull(fields.keys_not_before_ms, `${where}.keys_not_before_ms`),
  };
}

function readScopes(reader: FactReader, json: unknown, where: string): readonly string[] {
  const scopes: string[] = [];
  let previous = '';
  for (const scope of reader.list(json, where, scopesPerKeyMax)) {
    if (typeof scope !== 'string' || !isScope(scope) || scope <= previous) {
      reader.refuse(`${where} is not a sorted list of scopes`);
      return [];
    }
    scopes.push(scope);
    previous = scope;
  }
  return scopes;
}

function readVersions(reader: FactReader, json: unknown, where: string): readonly VersionFact[] {
  const versions = reader
    .list(json, where, versionsKeptMax)
    .map((version, at) => readVersion(reader, version, `${where}[${at}]`));
  reader.check(versions.length > 0, `${where} is empty`);
  let previous = 0;
  let live = 0;
  for (const version of versions) {
    reader.check(version.number > previous, `${where} is not ascending`);
    previous = version.number;
    if (version.state !== 'retired') live += 1;
  }
  reader.check(live <= versionsLiveMax, `${where} has more than ${versionsLiveMax} live versions`);
  return versions;
}

const versionMembers = ['number', 'fingerprint', 'state', 'minted_at_ms', 'retires_at_ms'];

function readVersion(reader: FactReader, json: unknown, where: string): VersionFact {
  const fields = reader.object(json, where, versionMembers);
  const state = reader.oneOf(fields.state, `${where}.state`, ['active', 'grace', 'retired']);
  const retiresAtMs = reader.timeMsOrNull(fields.retires_at_ms, `${where}.retires_at_ms`);
  reader.check(state !== 'active' || retiresAtMs === null, `${where} is active and yet retires`);
  reader.check(state !== 'grace' || retiresAtMs !== null, `${where} is in grace without an end`);
  return {
    number: reader.integer(fields.number, `${where}.number`, 1, 0x7fff_ffff),
    fingerprint: reader.bytes(fields.fingerprint, `${where}.fingerprint`, fingerprintFactBytes),
    state,
    mintedAtMs: reader.timeMs(fields.minted_at_ms, `${where}.minted_at_ms`),
    retiresAtMs,
  };
}

import type { ManagementScope } from '@keyswarm/contract';
import {
  createOwner,
  Fault,
  idFromUuidBytes,
  importKey,
  isBuiltinKeyspace,
  issueKey,
  type KeyId,
  type KeyRecord,
  type KeyspaceRecord,
  type OwnerId,
  type OwnerRecord,
  uuidV7,
} from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { findKeyspaceNamed } from '../access/find-keyspace.ts';
import { refuseEscalation, refuseOutliving } from '../access/grants.ts';
import { keyspaceNotFound } from '../access/missing.ts';
import { ownerIdOf } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { KeyspaceEntry } from '../keyspaces/keyspace-directory.ts';
import type { Change, LaneView, Reads } from '../lanes/lane-port.ts';
import { type KeyTerms, keyEventData } from './key-terms.ts';
import type { ProofFor } from './mint-version.ts';

/*
 * What issue and import have in common: a key that is not there yet, and an owner that may not be either. What
 * needs I/O or chance is prepared before the write is queued; `addKey` then decides inside the transaction and
 * takes nothing but what it is given.
 */

/** A new key that was found allowed, ready to be decided. */
export interface NewKey {
  readonly id: KeyId;
  readonly terms: KeyTerms;
  readonly keyspace: KeyspaceEntry;
  readonly ownerId: OwnerId;
  readonly fingerprint: Uint8Array;
  /** What its first version signs with. */
  readonly proofFor: ProofFor;
  /** Set where the key string was made elsewhere. */
  readonly importedFormat?: 'sha256' | 'prefixed_api_key' | undefined;
  /** What a second manager has agreed to. */
  readonly approvedScopes?: readonly string[] | undefined;
  /** Further public details of the event. */
  readonly eventData?: Readonly<Record<string, unknown>> | undefined;
}

export async function findKeyspaceFor(
  ports: UseCasePorts,
  caller: Caller,
  terms: KeyTerms,
  scope: ManagementScope,
): Promise<KeyspaceEntry> {
  const wish = { named: terms.keyspace, field: '/keyspace', scopes: [scope] };
  const keyspace = await findKeyspaceNamed(ports, caller, wish);
  if (keyspace.isBuiltin) refuseEscalation(caller, terms.scopes, '/scopes');
  return keyspace;
}

/** A management key is there no longer than who makes it, whether its end was named or is the keyspace's default. */
export function refuseLastingManager(
  caller: Caller,
  keyspace: KeyspaceRecord,
  { key, terms }: { readonly key: KeyRecord; readonly terms: KeyTerms },
): void {
  if (!isBuiltinKeyspace(keyspace)) return;
  refuseOutliving(caller, key.expiresAtMs, terms.ttlSeconds === undefined ? '/expires_at' : '/ttl_seconds');
}

export function prepareKey(
  ports: UseCasePorts,
  caller: Caller,
  wish: Pick<NewKey, 'terms' | 'keyspace' | 'fingerprint' | 'proofFor' | 'importedFormat'> & {
    readonly lastByte: number;
  },
): NewKey {
  const { lastByte, ...rest } = wish;
  const { kind, externalId } = wish.terms.owner;
  return {
    ...rest,
    id: idFromUuidBytes('key', uuidV7(ports.clock.nowMs(), ports.random.bytes(10), lastByte)),
    ownerId: ownerIdOf(caller.workspaceId, kind, externalId),
  };
}

export function readsOf(keys: readonly NewKey[]): Reads {
  const imported = keys.filter((key) => key.importedFormat !== undefined);
  return {
    owners: [...new Set(keys.map((key) => key.ownerId))],
    keyspaces: [...new Set(keys.map((key) => key.keyspace.id))],
    ...(imported.length === 0 ? {} : { fingerprints: imported.map((key) => key.fingerprint) }),
  };
}

/** What one write adds: filled item by item, so that a later item sees the owners and keys of the earlier ones. */
export class Additions {
  readonly changes: Change[] = [];
  readonly newOwners: OwnerRecord[] = [];
  readonly #caller: Caller;
  readonly #view: LaneView;
  readonly #nowMs: number;
  readonly #owners = new Map<OwnerId, OwnerRecord>();
  readonly #fingerprints = new Set<string>();

  constructor(caller: Caller, view: LaneView, nowMs: number) {
    this.#caller = caller;
    this.#view = view;
    this.#nowMs = nowMs;
  }

  /** Adds the key or throws its Fault, in which case nothing was added. */
  add(wish: NewKey): KeyRecord {
    const keyspace = this.#view.keyspace(wish.keyspace.id);
    if (keyspace === undefined) throw keyspaceNotFound('/keyspace');
    const known = this.#view.owner(wish.ownerId) ?? this.#owners.get(wish.ownerId);
    const owner = known ?? this.#newOwner(wish);
    const { terms } = wish;
    const common = {
      id: wish.id,
      workspaceId: this.#caller.workspaceId,
      keyspace,
      ownerId: owner.id,
      ownerKeysNotBeforeMs: owner.keysNotBeforeMs,
      name: terms.name,
      scopes: terms.scopes,
      ttlSeconds: terms.ttlSeconds,
      expiresAtMs: terms.expiresAtMs,
      notBeforeMs: terms.notBeforeMs,
      metadata: terms.metadata,
      approvedScopes: wish.approvedScopes,
      traits: wish.keyspace.isBuiltin ? { ...terms.traits, issuedBy: this.#caller.keyId } : terms.traits,
      fingerprint: wish.fingerprint,
      proof: wish.proofFor({ keyspace, keyId: wish.id, number: 1 }),
      nowMs: this.#nowMs,
    };
    const { importedFormat } = wish;
    if (importedFormat !== undefined) this.#refuseKnown(wish.fingerprint);
    const key = importedFormat === undefined ? issueKey(common) : importKey({ ...common, importedFormat });
    refuseLastingManager(this.#caller, keyspace, { key, terms });
    if (known === undefined) {
      this.#owners.set(owner.id, owner);
      this.newOwners.push(owner);
    }
    this.#fingerprints.add(Buffer.from(wish.fingerprint).toString('base64'));
    this.changes.push({
      kind: 'key',
      event: importedFormat === undefined ? 'key.issued' : 'key.imported',
      after: key,
      data: keyEventData(key, this.#caller.keyId, { version: 1, ...wish.eventData }),
    });
    return key;
  }

  #newOwner(wish: NewKey): OwnerRecord {
    const { kind, externalId } = wish.terms.owner;
    const { workspaceId } = this.#caller;
    return createOwner({ id: wish.ownerId, workspaceId, kind, externalId }, this.#nowMs);
  }

  #refuseKnown(fingerprint: Uint8Array): void {
    const isKnown =
      this.#view.hasFingerprint(fingerprint) ||
      this.#fingerprints.has(Buffer.from(fingerprint).toString('base64'));
    if (isKnown) throw hashKnown();
  }
}

export function hashKnown(): Fault {
  return new Fault('already_imported', { detail: 'A key with this hash is already known.', field: '/hash' });
}

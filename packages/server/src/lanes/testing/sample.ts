import { createHash } from 'node:crypto';
import {
  createKeyspace,
  createOwner,
  Fault,
  idFromUuidBytes,
  issueKey,
  type KeyId,
  type KeyRecord,
  type KeyspaceRecord,
  type OwnerId,
  type OwnerRecord,
  resumeKey,
  revokeKey,
  rotateKey,
  shardOfId,
  suspendKey,
  suspendOwner,
  uuidV7,
  uuidV8FromHash,
  type WorkspaceId,
} from '@keyswarm/core';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { Actor, Change, LaneView, LaneWrite } from '../lane-port.ts';

/** A workspace with one keyspace, and the writes that tests send through lanes: real deciders, real records. */
export class Sample {
  readonly shards: number;
  readonly workspaceId: WorkspaceId;
  readonly keyspace: KeyspaceRecord;
  readonly actor: Actor;

  constructor(shards: number) {
    this.shards = shards;
    this.workspaceId = idFromUuidBytes('ws', newUuid());
    const wish = {
      id: idFromUuidBytes('ks', newUuid()),
      workspaceId: this.workspaceId,
      name: 'orders-live',
      prefix: 'orders_live',
      allowedScopes: ['orders:*'],
      leaseSeconds: 30,
    };
    this.keyspace = createKeyspace(wish, systemClock.nowMs());
    this.actor = { workspaceId: this.workspaceId, keyId: null, requestId: 'req-1' };
  }

  createKeyspace(keyspace: KeyspaceRecord = this.keyspace): LaneWrite<KeyspaceRecord> {
    return this.#write(shardOfId(keyspace.id, this.shards), { keyspaces: [keyspace.id] }, () => ({
      changes: [{ kind: 'keyspace', event: 'keyspace.created', after: keyspace, data: {} }],
      reply: keyspace,
    }));
  }

  owner(externalId: string): OwnerRecord {
    const hash = createHash('sha256').update(`owner\0${this.workspaceId}\0service\0${externalId}`).digest();
    const id = idFromUuidBytes('own', uuidV8FromHash(hash));
    return createOwner(
      { id, workspaceId: this.workspaceId, kind: 'service', externalId },
      systemClock.nowMs(),
    );
  }

  /** A write of one new key. `shard` fixes where; `name` may hold what SQL refuses. */
  issue(wish: IssueWish = {}): LaneWrite<KeyRecord> {
    const shard = wish.shard ?? systemRandom.bytes(1)[0] ?? 0;
    const id = idFromUuidBytes('key', uuidV7(systemClock.nowMs(), systemRandom.bytes(10), shard));
    const owner = this.owner(wish.externalId ?? 'billing');
    const fingerprint = wish.fingerprint ?? systemRandom.bytes(32);
    const reads = {
      owners: [owner.id],
      keyspaces: [this.keyspace.id],
      ...(wish.fingerprint === undefined ? {} : { fingerprints: [fingerprint] }),
    };
    return this.#write(shardOfId(id, this.shards), reads, (view, nowMs) => {
      const keyspace = view.keyspace(this.keyspace.id);
      if (keyspace === undefined) throw new Fault('not_found', { detail: 'no keyspace', field: '/keyspace' });
      if (wish.fingerprint !== undefined && view.hasFingerprint(fingerprint)) {
        throw new Fault('already_imported', { detail: 'known', field: '/fingerprint' });
      }
      const known = view.owner(owner.id);
      const key = issueKey({
        id,
        workspaceId: this.workspaceId,
        keyspace,
        ownerId: owner.id,
        name: 'key',
        scopes: wish.scopes ?? ['orders:read'],
        metadata: { team: 'a "quoted" \\ one' },
        fingerprint,
        nowMs,
        ...(wish.expiresAtMs === undefined ? {} : { expiresAtMs: wish.expiresAtMs }),
        ...(wish.notBeforeMs === undefined ? {} : { notBeforeMs: wish.notBeforeMs }),
      });
      const after = { ...key, name: wish.name ?? key.name };
      return {
        changes: [{ kind: 'key', event: 'key.issued', after, data: { version: 1 } }],
        newOwners: known === undefined ? [owner] : [],
        reply: after,
      };
    });
  }

  revoke(id: KeyId): LaneWrite<KeyRecord> {
    return this.#changeKey(id, 'key.revoked', (key, nowMs) => revokeKey(key, { reason: 'leaked' }, nowMs));
  }

  suspend(id: KeyId): LaneWrite<KeyRecord> {
    return this.#changeKey(id, 'key.suspended', suspendKey);
  }

  resume(id: KeyId): LaneWrite<KeyRecord> {
    return this.#changeKey(id, 'key.resumed', resumeKey);
  }

  rotate(id: KeyId, fingerprint: Uint8Array = systemRandom.bytes(32)): LaneWrite<KeyRecord> {
    return this.#changeKey(id, 'key.rotated', (key, nowMs, view) => {
      const keyspace = view.keyspace(key.keyspaceId);
      if (keyspace === undefined) throw new Error('the keyspace of a key is read with it');
      return rotateKey(key, keyspace, { fingerprint, graceSeconds: 60, cut: true }, nowMs);
    });
  }

  suspendOwner(id: OwnerId): LaneWrite<OwnerRecord> {
    return this.#write(shardOfId(id, this.shards), { owners: [id] }, (view, nowMs) => {
      const owner = view.owner(id);
      if (owner === undefined) throw new Fault('not_found', { detail: 'no owner', field: 'id' });
      const after = suspendOwner(owner, nowMs);
      return { changes: [{ kind: 'owner', event: 'owner.suspended', after, data: {} }], reply: after };
    });
  }

  #changeKey(
    id: KeyId,
    event: Change['event'],
    decide: (key: KeyRecord, nowMs: number, view: LaneView) => KeyRecord,
  ): LaneWrite<KeyRecord> {
    return this.#write(shardOfId(id, this.shards), { keys: [id] }, (view, nowMs) => {
      const key = view.key(id);
      if (key === undefined) throw new Fault('not_found', { detail: 'no key', field: 'id' });
      const after = decide(key, nowMs, view);
      return { changes: [{ kind: 'key', event, after, data: {} }], reply: after };
    });
  }

  #write<Reply>(
    shard: number,
    reads: LaneWrite<Reply>['reads'],
    decide: LaneWrite<Reply>['decide'],
  ): LaneWrite<Reply> {
    return { shard, weight: 1, actor: this.actor, reads, decide };
  }
}

export interface IssueWish {
  readonly shard?: number;
  readonly externalId?: string;
  readonly name?: string;
  readonly scopes?: readonly string[];
  readonly expiresAtMs?: number;
  readonly notBeforeMs?: number;
  /** Asks whether it is known before it is used. */
  readonly fingerprint?: Uint8Array;
}

export function newUuid(): Uint8Array {
  return uuidV7(systemClock.nowMs(), systemRandom.bytes(10));
}

/** An idempotency ticket whose reply is kept as JSON, unsealed: what sealing is is decided elsewhere. */
export function ticketFor<Reply>(
  key: string,
  request = 'same',
): NonNullable<LaneWrite<Reply>['idempotency']> {
  const hash = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());
  return {
    keyHash: hash(key),
    requestHash: hash(request),
    seal: (reply) => new TextEncoder().encode(JSON.stringify(reply)),
    open: (sealed) => JSON.parse(new TextDecoder().decode(sealed)),
  };
}

import {
  assert,
  enrolledMetadata,
  enrolledOwner,
  enrolledScopes,
  enrollmentOf,
  idFromUuidBytes,
  judgeHolder,
  type KeyRecord,
  type OwnerId,
  type OwnerKind,
  shardOfId,
  underOwner,
  useEnrollment,
  uuidV7,
} from '@keyswarm/core';
import { actorOf } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import type { Holder } from '../access/holder.ts';
import { keyNotHeld } from '../access/missing.ts';
import { ownerIdOf } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { IssuedKey, MintedKey } from '../keys/issue-keys.ts';
import { keyEventData } from '../keys/key-terms.ts';
import { requireOpaque } from '../keys/mint-token.ts';
import { mintVersion } from '../keys/mint-version.ts';
import { Additions, type NewKey } from '../keys/new-keys.ts';
import type { LaneView, Reads } from '../lanes/lane-port.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';

/*
 * An enrollment key for a lasting key. Both are rows of one shard, and are written by one decision of its lane: the use
 * is counted where the key is made, and each decision sees what those before it have counted. So a thousand uses are a
 * thousand keys, however many exchanges come at once and to however many processes, and none is lost to a crash.
 *
 * All that chance and names decide (the id, the secret, the owner's id) is prepared before the write is queued; what the
 * template allows is looked at inside, for it may have been changed.
 */

export interface ExchangeWish {
  readonly owner?: { readonly kind: OwnerKind; readonly externalId: string } | undefined;
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly claims: Readonly<Record<string, string>>;
}

type Prepared = Pick<NewKey, 'id' | 'keyspace' | 'ownerId' | 'fingerprint' | 'proofFor'>;

export async function exchangeKey(
  ports: UseCasePorts,
  holder: Holder,
  wish: ExchangeWish,
  idempotency: IdempotencyScope | undefined,
): Promise<IssuedKey> {
  const { workspaceId, keyspaceId, keyId } = holder;
  const keyspace = await ports.keyspaces.find(workspaceId, keyspaceId);
  assert(keyspace !== undefined, 'the keyspace of a key exists');
  requireOpaque(keyspace, 'Authorization');
  const { secret, fingerprint, proofFor } = mintVersion(ports, keyspace.prefix);
  const { kind, externalId } = wish.owner ?? holder.owner;
  const ownerId = ownerIdOf(workspaceId, kind, externalId);
  const shard = shardOfId(keyId, ports.shards);
  const prepared = { id: newIdIn(ports, shard), keyspace, ownerId, fingerprint, proofFor };
  const ticket = idempotency?.ticket<MintedKey>();
  const receipt = await ports.lanes.submit<MintedKey>({
    shard,
    weight: 2,
    actor: actorOf(holder),
    reads: { keys: [keyId], ...ownersOf(holder, ownerId), keyspaces: [keyspaceId] },
    decide(view, nowMs) {
      const { changes, newOwners, key } = exchange(view, holder, { prepared, wish }, nowMs);
      return { changes, newOwners, reply: { key, secret } };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { ...receipt.reply, at: placeOf(receipt) };
}

/**
 * Held where both keys are one owner's: revoking the owner's keys ends the enrollment key, and has to end what is made by
 * it at that very moment. Another's key is nothing that such a revocation would have to reach.
 */
function ownersOf(holder: Holder, ownerId: OwnerId): Pick<Reads, 'owners' | 'ownersHeld'> {
  return ownerId === holder.ownerId ? { ownersHeld: [ownerId] } : { owners: [holder.ownerId, ownerId] };
}

/** The use that is counted, and the key that is made. */
function exchange(
  view: LaneView,
  holder: Holder,
  { prepared, wish }: { readonly prepared: Prepared; readonly wish: ExchangeWish },
  nowMs: number,
): Pick<Additions, 'changes' | 'newOwners'> & { readonly key: KeyRecord } {
  const enrollment = enrollmentKeyIn(view, holder, nowMs);
  const terms = enrollmentOf(enrollment);
  const used = useEnrollment(enrollment, nowMs);
  const additions = new Additions(holder, view, nowMs);
  const key = additions.add({
    ...prepared,
    terms: {
      keyspace: prepared.keyspace.id,
      owner: enrolledOwner(terms, holder.owner, wish.owner),
      name: wish.name ?? enrollment.name,
      scopes: enrolledScopes(enrollment.scopes, wish.scopes),
      ttlSeconds: terms.keyTtlSeconds ?? undefined,
      metadata: enrolledMetadata(enrollment.metadata, terms.claims, wish.claims),
      traits: { enrolledBy: enrollment.id, ...(terms.cascade ? { parentId: enrollment.id } : {}) },
    },
  });
  const data = keyEventData(used, enrollment.id, { key_id: key.id, uses_left: enrollmentOf(used).usesLeft });
  const counted = { kind: 'key' as const, event: 'key.exchanged' as const, after: used, data };
  return { changes: [counted, ...additions.changes], newOwners: additions.newOwners, key };
}

/** The enrollment key as it is in the transaction; refused as for a stranger unless it may still be exchanged. */
function enrollmentKeyIn(view: LaneView, holder: Holder, nowMs: number): KeyRecord {
  const stored = view.key(holder.keyId);
  const owner = view.owner(holder.ownerId);
  const keyspace = view.keyspace(holder.keyspaceId);
  assert(stored !== undefined && owner !== undefined && keyspace !== undefined, 'a key that was found stays');
  const key = underOwner(stored, owner.keysNotBeforeMs);
  const isExchangeable = key.traits.enrollment !== undefined;
  const verdict = judgeHolder({ key, owner, keyspace }, holder.version, nowMs);
  if (!isExchangeable || verdict !== 'insufficient_scope') throw keyNotHeld();
  return key;
}

/** In the shard of the enrollment key, where both can be written at once. */
function newIdIn({ clock, random, shards }: UseCasePorts, shard: number) {
  const byte = random.bytes(1).at(0) ?? 0;
  const lastByte = byte - (byte % shards) + shard;
  return idFromUuidBytes('key', uuidV7(clock.nowMs(), random.bytes(10), lastByte));
}

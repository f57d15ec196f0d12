import {
  builtinKeyspace,
  createOwner,
  idFromUuidBytes,
  issueKey,
  type KeyId,
  type KeyRecord,
  type KeyspaceId,
  shardOfId,
  uuidBytesOf,
  uuidV7,
  type WorkspaceId,
} from '@keyswarm/core';
import { builtinKeyspaceId, ownerIdOf, workspaceIdOf } from '../access/named-ids.ts';
import { keyEventData } from '../keys/key-terms.ts';
import type { MintedVersion } from '../keys/mint-version.ts';
import type { Decision } from '../lanes/lane-port.ts';
import type { Random } from '../runtime/random.ts';

/*
 * What a workspace is born with: its built-in keyspace, and a first management key in it that may do everything
 * there. All three are one write of one shard, so there is no workspace without a way in. Every id but the key's
 * follows from the name: a workspace that is made twice meets itself.
 */

export interface NewWorkspace {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly keyspaceId: KeyspaceId;
}

export function newWorkspace(name: string): NewWorkspace {
  const id = workspaceIdOf(name);
  return { id, name, keyspaceId: builtinKeyspaceId(id) };
}

export function shardOfWorkspace({ keyspaceId }: NewWorkspace, shards: number): number {
  return shardOfId(keyspaceId, shards);
}

export interface FirstKey {
  readonly id: KeyId;
  readonly minted: Pick<MintedVersion, 'fingerprint' | 'proofFor'>;
  /** Of its owner, which is a service; shown in lists and verdicts. */
  readonly ownerExternalId: string;
}

/** The id of a first key, in the shard of the keyspace. */
export function firstKeyId(
  { keyspaceId }: NewWorkspace,
  ports: { readonly nowMs: number; readonly random: Random },
): KeyId {
  const lastByte = uuidBytesOf(keyspaceId).at(-1) ?? 0;
  return idFromUuidBytes('key', uuidV7(ports.nowMs, ports.random.bytes(10), lastByte));
}

/** Creates the workspace and, if one is given, its first key; to be called where the keyspace is not there yet. */
export function decideWorkspace(
  workspace: NewWorkspace,
  first: FirstKey | undefined,
  context: { readonly actorKeyId: KeyId | null; readonly nowMs: number },
): Decision<KeyRecord | null> {
  const { actorKeyId, nowMs } = context;
  const keyspace = builtinKeyspace({ id: workspace.keyspaceId, workspaceId: workspace.id }, nowMs);
  const keyspaceChange = {
    kind: 'keyspace',
    event: 'keyspace.created',
    after: keyspace,
    data: { actor: actorKeyId, name: keyspace.name },
  } as const;
  const newWorkspaceRecord = { id: workspace.id, name: workspace.name, createdAtMs: nowMs };
  if (first === undefined) {
    return { changes: [keyspaceChange], newWorkspace: newWorkspaceRecord, reply: null };
  }
  const { owner, key } = firstKeyOf(workspace.id, keyspace, first, nowMs);
  const data = keyEventData(key, actorKeyId, { version: 1 });
  return {
    changes: [keyspaceChange, { kind: 'key', event: 'key.issued', after: key, data }],
    newOwners: [owner],
    newWorkspace: newWorkspaceRecord,
    reply: key,
  };
}

/** A management key that may do everything in its workspace, and does not expire. */
export function firstKeyOf(
  workspaceId: WorkspaceId,
  keyspace: ReturnType<typeof builtinKeyspace>,
  first: FirstKey,
  nowMs: number,
) {
  const kind = 'service';
  const ownerId = ownerIdOf(workspaceId, kind, first.ownerExternalId);
  const owner = createOwner({ id: ownerId, workspaceId, kind, externalId: first.ownerExternalId }, nowMs);
  const key = issueKey({
    id: first.id,
    workspaceId,
    keyspace,
    ownerId,
    name: 'first management key',
    scopes: ['*'],
    metadata: {},
    fingerprint: first.minted.fingerprint,
    proof: first.minted.proofFor({ keyspace, keyId: first.id, number: 1 }),
    nowMs,
  });
  return { owner, key };
}

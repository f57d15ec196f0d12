import {
  assert,
  builtinPrefix,
  Fault,
  type FeedPosition,
  type KeyId,
  type Secret,
  type WorkspaceId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import { requireScope } from '../access/grants.ts';
import { defaultWorkspaceId, ownerIdOf } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { mintVersion, secretOf } from '../keys/mint-version.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { decideWorkspace, firstKeyId, newWorkspace, shardOfWorkspace } from './new-workspace.ts';

export interface CreatedWorkspace {
  readonly workspace: { readonly id: WorkspaceId; readonly name: string };
  readonly managementKey: { readonly id: KeyId; readonly secret: Secret };
}

export interface PlacedWorkspace extends CreatedWorkspace {
  /** Where its first key stands in the feed. */
  readonly at: FeedPosition;
}

/**
 * A new tenant with its first management key. Only from the workspace that the server began with: `*` in any
 * other one means everything in it, and tenants are not in it.
 */
export async function createWorkspace(
  ports: UseCasePorts,
  caller: Caller,
  name: string,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedWorkspace> {
  requireScope(caller, 'workspaces:write');
  if (caller.workspaceId !== defaultWorkspaceId) {
    throw new Fault('forbidden', { detail: 'Workspaces are created from the default workspace only.' });
  }
  const workspace = newWorkspace(name);
  const minted = mintVersion(ports, builtinPrefix);
  const secret = secretOf(minted);
  const id = firstKeyId(workspace, { nowMs: ports.clock.nowMs(), random: ports.random });
  const first = { id, minted, ownerExternalId: 'first-manager' };
  const ticket = idempotency?.ticket<CreatedWorkspace>();
  const receipt = await ports.lanes.submit<CreatedWorkspace>({
    shard: shardOfWorkspace(workspace, ports.shards),
    weight: 2,
    actor: actorOf(caller),
    reads: {
      keyspaces: [workspace.keyspaceId],
      owners: [ownerIdOf(workspace.id, 'service', first.ownerExternalId)],
    },
    decide(view, nowMs) {
      if (view.keyspace(workspace.keyspaceId) !== undefined) {
        throw new Fault('name_taken', { detail: 'There is a workspace of this name.', field: '/name' });
      }
      const decision = decideWorkspace(workspace, first, { actorKeyId: caller.keyId, nowMs });
      const key = decision.reply;
      assert(key !== null, 'a workspace that is created gets its first key');
      const reply = { workspace: { id: workspace.id, name }, managementKey: { id: key.id, secret } };
      return { ...decision, reply };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { ...receipt.reply, at: placeOf(receipt) };
}

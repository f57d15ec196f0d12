import {
  assert,
  builtinPrefix,
  idFromUuidBytes,
  mintKeyString,
  parseKeyString,
  Secret,
  shardOfHash,
  uuidV7,
} from '@keyswarm/core';
import { defaultWorkspaceId, defaultWorkspaceName, ownerIdOf } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { keyEventData } from '../keys/key-terms.ts';
import { type MintedVersion, mintVersion, versionOf } from '../keys/mint-version.ts';
import type { Actor } from '../lanes/lane-port.ts';
import type { Random } from '../runtime/random.ts';
import { decideWorkspace, firstKeyId, firstKeyOf, newWorkspace, shardOfWorkspace } from './new-workspace.ts';

/*
 * The way in. A new store gets its first workspace and its first management key; without one nobody could ask for
 * another. Either the key is minted here, and returned to be shown once, or the operator brought one, of which
 * only the hash is kept.
 *
 * Several servers may start on a new store at the same moment. The ids follow from names, so they write the same
 * rows: one wins, and the others find the keyspace there and show nothing. What is lost if a server dies between
 * the commit and the showing is that key's secret; a start with a key of the operator's own mends it, since such
 * a key is installed at any start at which it is not known yet. One that was revoked stays known, and so revoked.
 */

type BootstrapPorts = Pick<UseCasePorts, 'lanes' | 'clock' | 'random' | 'shards' | 'macKeyOf'>;

const actor: Actor = { workspaceId: defaultWorkspaceId, keyId: null, requestId: 'bootstrap' };

/** The secret to show once; undefined when there is none to show. */
export async function bootstrap(
  ports: BootstrapPorts,
  given: Secret | undefined,
): Promise<Secret | undefined> {
  if (given === undefined) return await createDefaultWorkspace(ports, mintVersion(ports, builtinPrefix));
  await createDefaultWorkspace(ports, undefined);
  await installKey(ports, given);
  return undefined;
}

/** A management key that an operator may bring, made offline. */
export function mintBootstrapKey(random: Random): Secret {
  return new Secret(mintKeyString(builtinPrefix, (count) => random.bytes(count)));
}

export function isBootstrapKey(text: string): boolean {
  return parseKeyString(text)?.prefix === builtinPrefix;
}

async function createDefaultWorkspace(
  ports: BootstrapPorts,
  minted: MintedVersion | undefined,
): Promise<Secret | undefined> {
  const workspace = newWorkspace(defaultWorkspaceName);
  const id = firstKeyId(workspace, { nowMs: ports.clock.nowMs(), random: ports.random });
  const first = minted && { id, minted, ownerExternalId: ownerNameOf(id) };
  const ownerReads = first && { owners: [ownerIdOf(workspace.id, 'service', first.ownerExternalId)] };
  const receipt = await ports.lanes.submit<boolean>({
    shard: shardOfWorkspace(workspace, ports.shards),
    weight: 2,
    actor,
    reads: { keyspaces: [workspace.keyspaceId], ...ownerReads },
    decide(view, nowMs) {
      if (view.keyspace(workspace.keyspaceId) !== undefined) return { changes: [], reply: false };
      return { ...decideWorkspace(workspace, first, { actorKeyId: null, nowMs }), reply: true };
    },
  });
  return receipt.reply ? minted?.secret : undefined;
}

/** Its shard is that of its fingerprint, where a second one of the same is found. */
async function installKey(ports: BootstrapPorts, secret: Secret): Promise<void> {
  assert(isBootstrapKey(secret.reveal()), 'the key was checked when the settings were read');
  const minted = versionOf(ports, secret);
  const { fingerprint } = minted;
  const random = ports.random.bytes(10);
  const id = idFromUuidBytes('key', uuidV7(ports.clock.nowMs(), random, fingerprint.at(-1)));
  const workspace = newWorkspace(defaultWorkspaceName);
  const first = { id, minted, ownerExternalId: ownerNameOf(id) };
  await ports.lanes.submit<null>({
    shard: shardOfHash(fingerprint, ports.shards),
    weight: 1,
    actor,
    reads: {
      keyspaces: [workspace.keyspaceId],
      owners: [ownerIdOf(workspace.id, 'service', first.ownerExternalId)],
      fingerprints: [fingerprint],
    },
    decide(view, nowMs) {
      if (view.hasFingerprint(fingerprint)) return { changes: [], reply: null };
      const keyspace = view.keyspace(workspace.keyspaceId);
      assert(keyspace !== undefined, 'the default workspace has its keyspace');
      const { owner, key } = firstKeyOf(workspace.id, keyspace, first, nowMs);
      const data = keyEventData(key, null, { version: 1 });
      return {
        changes: [{ kind: 'key', event: 'key.issued', after: key, data }],
        newOwners: [owner],
        reply: null,
      };
    },
  });
}

/** An owner of its own, so that suspending another one never shuts this way in. */
function ownerNameOf(id: string): string {
  return `bootstrap-${id.slice(-8)}`;
}

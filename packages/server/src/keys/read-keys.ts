import {
  builtinKeyspaceName,
  Fault,
  type KeyId,
  type KeyRecord,
  type KeyState,
  type KeyspaceId,
  type OwnerId,
} from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { findKeyspaceNamed } from '../access/find-keyspace.ts';
import { reaches, reachesEverywhere, requireAnywhere } from '../access/grants.ts';
import { builtinKeyspaceId } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { listPagesMax } from '../limits.ts';
import { findKey } from './change-key.ts';

/** Whose suspension refuses keys that are themselves active. */
export type Suspended = ReadonlySet<OwnerId | KeyspaceId>;

export async function getOneKey(
  ports: UseCasePorts,
  caller: Caller,
  id: KeyId,
): Promise<{ readonly key: KeyRecord; readonly suspended: Suspended }> {
  const { key } = await findKey(ports, caller, id, 'keys:read');
  return { key, suspended: await suspendedAbove(ports, [key]) };
}

/** One read for all: a page of keys has few owners, or as many as it has keys. */
export function suspendedAbove(
  { reader }: Pick<UseCasePorts, 'reader'>,
  keys: readonly KeyRecord[],
): Promise<Suspended> {
  return reader.suspended({
    owners: [...new Set(keys.map(({ ownerId }) => ownerId))],
    keyspaces: [...new Set(keys.map(({ keyspaceId }) => keyspaceId))],
  });
}

export interface ListKeys {
  readonly keyspace?: string | undefined;
  readonly ownerId?: OwnerId | undefined;
  readonly enrolledBy?: KeyId | undefined;
  readonly state?: KeyState | undefined;
  readonly after?: KeyId | undefined;
  readonly limit: number;
}

export interface KeyPage {
  readonly keys: readonly KeyRecord[];
  /** Where to go on from; null when this was the last page. */
  readonly next: KeyId | null;
}

/** Keys that the caller may see, ascending by id. Without a keyspace: of all that its scope covers. */
export async function listKeys(ports: UseCasePorts, caller: Caller, wish: ListKeys): Promise<KeyPage> {
  requireAnywhere(caller, 'keys:read');
  const keyspaceId = await keyspaceToRead(ports, caller, wish.keyspace);
  const hidden = keyspaceId === undefined ? hiddenKeyspaceOf(caller) : undefined;
  const filter = { keyspaceId, ownerId: wish.ownerId, enrolledBy: wish.enrolledBy, state: wish.state };
  const keys: KeyRecord[] = [];
  let after = wish.after;
  // One more than asked for tells whether there is a next page. Bounded: a page may come short where much is hidden.
  for (let page = 0; page < listPagesMax; page += 1) {
    const limit = wish.limit + 1;
    const found = await ports.reader.keys(caller.workspaceId, filter, { after, limit }, ports.clock.nowMs());
    keys.push(...found.filter((key) => key.keyspaceId !== hidden));
    if (keys.length > wish.limit) {
      const shown = keys.slice(0, wish.limit);
      return { keys: shown, next: shown.at(-1)?.id ?? null };
    }
    if (found.length < limit) return { keys, next: null };
    after = found.at(-1)?.id;
  }
  return { keys, next: after ?? null };
}

async function keyspaceToRead(
  ports: UseCasePorts,
  caller: Caller,
  keyspace: string | undefined,
): Promise<KeyspaceId | undefined> {
  if (keyspace === undefined) {
    if (reaches(caller.scopes, 'keys:read', '*')) return undefined;
    throw new Fault('forbidden', {
      detail: 'Your management key may read only some keyspaces: name one of them.',
      field: 'keyspace',
      expected: 'keys:read',
    });
  }
  const wish = { named: keyspace, field: 'keyspace', scopes: ['keys:read'] } as const;
  return (await findKeyspaceNamed(ports, caller, wish)).id;
}

/** Management keys are seen by whoever may read them by name or by wildcard. */
function hiddenKeyspaceOf(caller: Caller): KeyspaceId | undefined {
  const seesAll =
    reachesEverywhere(caller.scopes, 'keys:read') || reaches(caller.scopes, 'keys:read', builtinKeyspaceName);
  return seesAll ? undefined : builtinKeyspaceId(caller.workspaceId);
}

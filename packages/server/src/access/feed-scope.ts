import type { KeyspaceId, WorkspaceId } from '@keyswarm/core';
import { builtinKeyspaceName } from '@keyswarm/core';
import type { FeedFilter } from '@keyswarm/verifier';
import type { Caller } from './caller.ts';
import { reaches, requireIn } from './grants.ts';
import { keyspaceNotFound } from './missing.ts';
import { builtinKeyspaceId } from './named-ids.ts';

/** Finds a keyspace of the workspace by id or name. */
export interface KeyspaceFinder {
  find(
    workspaceId: WorkspaceId,
    idOrName: string,
  ): Promise<{ readonly id: KeyspaceId; readonly name: string } | undefined>;
}

const scope = 'feed:read';

/**
 * What of the feed this caller may read: the keyspaces that it names, or all that its scopes reach. One that it names
 * and may not read is refused as elsewhere; one that its own scopes name and that isn't there is left out.
 */
export async function feedFilterOf(
  caller: Caller,
  named: readonly string[] | undefined,
  keyspaces: KeyspaceFinder,
): Promise<FeedFilter> {
  const { workspaceId, scopes } = caller;
  if (named !== undefined) return { workspaceId, keyspaces: await namedIds(caller, named, keyspaces) };
  if (reaches(scopes, scope, anyOther)) {
    if (reaches(scopes, scope, builtinKeyspaceName)) return { workspaceId };
    return { workspaceId, without: new Set([builtinKeyspaceId(workspaceId)]) };
  }
  const narrowed = scopes
    .filter((held) => held.startsWith(`${scope}:`))
    .map((held) => held.slice(scope.length + 1));
  const ids = new Set<KeyspaceId>();
  for (const name of narrowed) {
    const found = await keyspaces.find(workspaceId, name);
    if (found !== undefined && found.name === name) ids.add(found.id);
  }
  return { workspaceId, keyspaces: ids };
}

/** No keyspace can have this name: whoever reaches it reaches every one that isn't named. */
const anyOther = '-';

async function namedIds(
  caller: Caller,
  named: readonly string[],
  keyspaces: KeyspaceFinder,
): Promise<ReadonlySet<KeyspaceId>> {
  const ids = new Set<KeyspaceId>();
  for (const idOrName of named) {
    const missing = () => keyspaceNotFound('keyspaces', idOrName);
    const found = await keyspaces.find(caller.workspaceId, idOrName);
    if (found === undefined) throw missing();
    requireIn(caller, scope, found.name, missing);
    ids.add(found.id);
  }
  return ids;
}

import { type KeyspaceId, type KeyspaceRecord, parseId } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { missingKeyspace } from '../access/find-keyspace.ts';
import { requireScope } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';

export async function getOneKeyspace(
  ports: UseCasePorts,
  caller: Caller,
  idOrName: string,
): Promise<KeyspaceRecord> {
  requireScope(caller, 'keyspaces:read');
  const id = parseId('ks', idOrName);
  const keyspace = await (id === undefined
    ? ports.reader.keyspaceByName(caller.workspaceId, idOrName)
    : ports.reader.keyspace(caller.workspaceId, id));
  if (keyspace === undefined) throw await missingKeyspace(ports, caller, idOrName, 'id');
  return keyspace;
}

/** Ascending by id; `next` is null on the last page. */
export async function listKeyspaces(
  ports: UseCasePorts,
  caller: Caller,
  { after, limit }: { readonly after?: KeyspaceId | undefined; readonly limit: number },
): Promise<{ readonly keyspaces: readonly KeyspaceRecord[]; readonly next: KeyspaceId | null }> {
  requireScope(caller, 'keyspaces:read');
  const found = await ports.reader.keyspaces(caller.workspaceId, { after, limit: limit + 1 });
  const keyspaces = found.slice(0, limit);
  return { keyspaces, next: found.length > limit ? (keyspaces.at(-1)?.id ?? null) : null };
}

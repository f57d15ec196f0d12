import type { OwnerId, OwnerKind, OwnerRecord } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/grants.ts';
import { ownerNotFound } from '../access/missing.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';

export async function getOneOwner(ports: UseCasePorts, caller: Caller, id: OwnerId): Promise<OwnerRecord> {
  requireScope(caller, 'owners:read');
  const owner = await ports.reader.owner(caller.workspaceId, id);
  if (owner === undefined) throw ownerNotFound();
  return owner;
}

export interface ListOwners {
  readonly kind?: OwnerKind | undefined;
  readonly externalId?: string | undefined;
  readonly after?: OwnerId | undefined;
  readonly limit: number;
}

/** Ascending by id; `next` is null on the last page. */
export async function listOwners(
  ports: UseCasePorts,
  caller: Caller,
  { kind, externalId, after, limit }: ListOwners,
): Promise<{ readonly owners: readonly OwnerRecord[]; readonly next: OwnerId | null }> {
  requireScope(caller, 'owners:read');
  const page = { after, limit: limit + 1 };
  const found = await ports.reader.owners(caller.workspaceId, { kind, externalId }, page);
  const owners = found.slice(0, limit);
  return { owners, next: found.length > limit ? (owners.at(-1)?.id ?? null) : null };
}

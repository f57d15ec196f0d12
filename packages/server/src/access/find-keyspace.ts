import type { ManagementScope } from '@keyswarm/contract';
import { covers, type Fault, parseId } from '@keyswarm/core';
import type { KeyspaceEntry } from '../keyspaces/keyspace-directory.ts';
import type { Caller } from './caller.ts';
import { reaches, requireIn } from './grants.ts';
import { namesLookedThroughMax } from './limits.ts';
import { keyspaceNotFound } from './missing.ts';
import { nearNames } from './near-names.ts';
import type { UseCasePorts } from './use-case-ports.ts';

type Finding = Pick<UseCasePorts, 'keyspaces' | 'reader'>;

export interface NamedKeyspace {
  /** Id or name, as the caller gave it. */
  readonly named: string;
  /** Where it stood: a JSON pointer of the body, or the name of a parameter. */
  readonly field: string;
  /** All of them are needed there. */
  readonly scopes: readonly ManagementScope[];
}

/**
 * The keyspace, if the caller may do this in it. Else the refusal, which says the name that was given and what it may have
 * been meant as; it is the same for one that isn't there and for one that is none of the caller's business.
 */
export async function findKeyspaceNamed(
  ports: Finding,
  caller: Caller,
  { named, field, scopes }: NamedKeyspace,
): Promise<KeyspaceEntry> {
  const found = await ports.keyspaces.find(caller.workspaceId, named);
  const mayDo = (name: string) => scopes.every((scope) => reaches(caller.scopes, scope, name));
  if (found !== undefined && mayDo(found.name)) return found;
  const missing = await missingKeyspace(ports, caller, named, field);
  if (found !== undefined) for (const scope of scopes) requireIn(caller, scope, found.name, () => missing);
  throw missing;
}

/** What to say of a name of which there is nothing here. */
export async function missingKeyspace(
  ports: Pick<Finding, 'reader'>,
  caller: Caller,
  named: string,
  field: string,
): Promise<Fault> {
  // An id is copied and not typed: there is nothing near it.
  if (parseId('ks', named) !== undefined) return keyspaceNotFound(field, named);
  return keyspaceNotFound(field, named, nearNames(named, await namesKnownTo(ports, caller)));
}

/** Names that the caller may list, or that its own scopes say: never one that it could learn of here only. */
async function namesKnownTo({ reader }: Pick<Finding, 'reader'>, caller: Caller): Promise<readonly string[]> {
  if (covers(caller.scopes, 'keyspaces:read')) {
    const page = await reader.keyspaces(caller.workspaceId, { limit: namesLookedThroughMax });
    return page.map(({ name }) => name);
  }
  return [...new Set(caller.scopes.flatMap((scope) => scope.split(':').slice(2, 3)))];
}

import type { KeyFact, KeyspaceFact, KeyspaceId, OwnerFact, WorkspaceId } from '@keyswarm/core';

/** One thing that a verifier knows, as it is read out of a table or out of a snapshot. */
export type Fact =
  | { readonly kind: 'keyspace'; readonly fact: KeyspaceFact }
  | { readonly kind: 'owner'; readonly fact: OwnerFact }
  | { readonly kind: 'key'; readonly fact: KeyFact };

/** Of whom facts are read; what is absent restricts nothing. */
export interface FactFilter {
  readonly workspaceId?: WorkspaceId | undefined;
  readonly keyspaces?: ReadonlySet<KeyspaceId> | undefined;
}

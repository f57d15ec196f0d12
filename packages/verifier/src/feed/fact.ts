import type {
  KeyFact,
  KeyspaceFact,
  KeyspaceId,
  OwnerFact,
  SigningKeyFact,
  WorkspaceId,
} from '@keyswarm/core';

/** One thing that a verifier knows, as it is read out of a table or out of a snapshot. */
export type Fact =
  | { readonly kind: 'keyspace'; readonly fact: KeyspaceFact }
  | { readonly kind: 'owner'; readonly fact: OwnerFact }
  | { readonly kind: 'key'; readonly fact: KeyFact }
  | { readonly kind: 'signingKey'; readonly fact: SigningKeyFact };

/** Of whom facts are read; what is absent restricts nothing. */
export interface FactFilter {
  readonly workspaceId?: WorkspaceId | undefined;
  readonly keyspaces?: ReadonlySet<KeyspaceId> | undefined;
}

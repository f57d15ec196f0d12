import type { KeyId, KeyspaceId } from '@keyswarm/core';

/**
 * A version of a rotating key was accepted: the old one, in its grace, or the new one for the first time. Told to the
 * authority in batches.
 */
export interface KeyUse {
  readonly keyId: KeyId;
  /** Whoever passes it on, or takes it, can tell by this whether its teller may know of the key. */
  readonly keyspaceId: KeyspaceId;
  readonly version: number;
  /** Unix ms of the authority's clock, as near as the verifier knows it. */
  readonly atMs: number;
}

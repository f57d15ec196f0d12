import type { WorkspaceId } from '@keyswarm/core';
import type { MasterKey } from './master-key.ts';

/**
 * The MAC key of each workspace: under it are sealed the secrets with which keys sign that have no public key. One for
 * each, so that a verifier which is given the key of its own workspace opens no secret of another one.
 */
export function requestMacKeys(masterKey: MasterKey): (workspaceId: WorkspaceId) => Uint8Array {
  return (workspaceId) => masterKey.subkey('request mac', [workspaceId]);
}

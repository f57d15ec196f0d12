import type { WorkspaceId } from '@keyswarm/core';
import type { MasterKeys } from './seal-key.ts';

/*
 * The MAC key of each workspace: under it are sealed the secrets with which keys sign that have no public key. One for
 * each, so that a verifier which is given the key of its own workspace opens no secret of another one.
 */

const purpose = 'request mac';

/** What opens: also what was sealed under the master key of before. */
export function requestMacKeys({
  current,
  previous,
}: MasterKeys): (workspaceId: WorkspaceId) => readonly Uint8Array[] {
  return (workspaceId) =>
    [current, previous].filter((key) => key !== undefined).map((key) => key.subkey(purpose, [workspaceId]));
}

/** What seals. */
export function requestMacKey({ current }: MasterKeys): (workspaceId: WorkspaceId) => Uint8Array {
  return (workspaceId) => current.subkey(purpose, [workspaceId]);
}

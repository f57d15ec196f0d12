import type { KeyId, WorkspaceId } from '@keyswarm/core';
import type { Actor } from '../lanes/lane-port.ts';

/** Who asks: the management key that the verifier has just found valid. */
export interface Caller {
  readonly keyId: KeyId;
  readonly workspaceId: WorkspaceId;
  readonly scopes: readonly string[];
  readonly requestId: string;
}

/** The caller as the audit record names it. */
export function actorOf(caller: Caller): Actor {
  return { workspaceId: caller.workspaceId, keyId: caller.keyId, requestId: caller.requestId };
}

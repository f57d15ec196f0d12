import type { KeyId, WorkspaceId } from '@keyswarm/core';
import type { Actor } from '../lanes/lane-port.ts';

/** Who asks: the management key that the verifier has just found valid. */
export interface Caller {
  readonly keyId: KeyId;
  readonly workspaceId: WorkspaceId;
  readonly scopes: readonly string[];
  /** When what was presented stops working: a derived token's own end, or that of a version's grace. Null: never. */
  readonly expiresAtMs: number | null;
  /** It presented a token that was derived of its key, which is no possession of that. */
  readonly isDerived: boolean;
  readonly requestId: string;
  /** Throws when the management key may no longer do this; asked again where the write is decided. */
  readonly recheck?: () => void;
}

/** The caller as the audit record names it. */
export function actorOf(caller: Caller): Actor {
  const { workspaceId, keyId, requestId, recheck } = caller;
  return { workspaceId, keyId, requestId, ...(recheck === undefined ? {} : { recheck }) };
}

/*
 * One thing that was asked of the system, as the checker sees it. It was invoked at an instant, and it was answered at another
 * one, or never: then its outcome is unknown and stays unknown, whatever is found out later. `fail` means that it is certain to
 * have had no effect.
 */

export const writeKinds = ['issue', 'rotate', 'finish', 'revoke', 'suspend', 'resume'] as const;
export type WriteKind = (typeof writeKinds)[number];
/** `verify`: a key presented to a verifier. `read`: the key's record, read from the store through a server. */
export type OperationKind = WriteKind | 'verify' | 'read';

export type Outcome = 'ok' | 'fail' | 'unknown';

export type Life = 'active' | 'suspended' | 'revoked';

/** What a reply said. No secret: of one there is a digest. */
export interface OperationResult {
  readonly keyId?: string;
  readonly version?: number;
  readonly secretDigest?: string;
  readonly seq?: string;
  /** Instants of the wall clock. */
  readonly effectiveByMs?: number;
  readonly expiresAtMs?: number;
  readonly retiresAtMs?: number;
  readonly life?: Life;
  readonly versions?: number;
  readonly liveVersions?: number;
}

export interface Invocation {
  readonly kind: OperationKind;
  /** The run's own number for the key; its name in the store is `chaos <number>`. */
  readonly key: number;
  readonly keyspace: string;
  /** Who was asked: the name of a node or a server. */
  readonly at: string;
  /** Of `verify`: which secret was presented. */
  readonly version?: number;
  /** Of `verify`: at least as fresh as the last change of this key that was acknowledged. */
  readonly minSeq?: string;
  readonly idempotencyKey?: string;
  readonly force?: boolean;
  readonly graceMs?: number;
  readonly ttlMs?: number;
}

export interface Settlement {
  readonly outcome: Outcome;
  /** Of HTTP; 0: no reply. */
  readonly status: number;
  /** The verdict's code, or the problem's. */
  readonly code: string;
  readonly result?: OperationResult;
}

export interface Operation extends Invocation, Settlement {
  readonly id: number;
  readonly invokedMs: number;
  readonly invokedWallMs: number;
  /** Infinity: nobody knows. */
  readonly settledMs: number;
}

/** Something that was done to the system on purpose. */
export interface FaultMark {
  readonly name: string;
  /** Names of nodes and servers that may be away meanwhile. */
  readonly affects: readonly string[];
  readonly beganMs: number;
  endedMs: number;
  /** When everything was served again; Infinity: not seen. */
  recoveredMs: number;
  readonly recoverWithinMs: number;
}

export function isAcceptance({ outcome, status, code }: Settlement): boolean {
  return outcome === 'ok' && status === 200 && code === 'valid';
}

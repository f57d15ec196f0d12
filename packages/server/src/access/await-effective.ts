import type { KeyspaceId, WorkspaceId } from '@keyswarm/core';

/** A change that is durable, and until when verifiers may still go by what was before it. */
export interface EffectiveChange {
  /** Whose verifiers are waited for, beside those of the servers, which serve every workspace. */
  readonly workspaceId: WorkspaceId;
  /** The one keyspace whose keys it is about; absent: any of the workspace. */
  readonly keyspaceId?: KeyspaceId | undefined;
  readonly epoch: number;
  readonly shard: number;
  readonly seq: number;
  /** Unix ms of the store's clock. */
  readonly effectiveByMs: number;
}

/** A verifier that has not said that it knows the change. Once `effectiveByMs` has passed it accepts nothing by the old state. */
export interface Laggard {
  readonly id: string;
  readonly name: string;
  /** Its lease's age when it was last heard of, and what has passed since; null: it said that it has none. */
  readonly leaseAgeMs: number | null;
}

export interface EffectiveOutcome {
  /** When it was known, Unix ms of the store's clock: at the latest `effectiveByMs`, or soon after. */
  readonly atMs: number;
  /** Verifiers that were asked about. */
  readonly verifiers: number;
  /** Empty when all of them know. A bounded list; the ones furthest behind come first. */
  readonly laggards: readonly Laggard[];
}

/**
 * Resolves once every verifier that may hold a lease has said that it knows the change, or at `effectiveByMs`, with
 * those that have not. Never rejects for a store that is away: then the bound is what is left to go by. Rejects with
 * `overloaded` past its bound of waiters.
 */
export type AwaitEffective = (change: EffectiveChange, signal?: AbortSignal) => Promise<EffectiveOutcome>;

import type { FaultCode } from '@keyswarm/core';

/** Why a batch was run again. */
export type RerunReason =
  | 'idempotency_race'
  | 'revision_race'
  | 'unique_violation'
  | 'alone'
  | 'outcome_unknown';

export interface BatchReport {
  readonly shard: number;
  readonly writes: number;
  readonly weight: number;
  /** Feed rows written. */
  readonly rows: number;
  /** From the first BEGIN to the last COMMIT, reruns included. */
  readonly durationMs: number;
  /** How long the oldest write of the batch had waited before. */
  readonly waitedMs: number;
}

/** What the lanes tell whoever counts. Called synchronously: it must be quick and must not throw. */
export interface LaneObserver {
  queued(shard: number, weight: number): void;
  committed(report: BatchReport): void;
  rerun(shard: number, reason: RerunReason): void;
  /** A write that was turned away or failed with a fault of ours. */
  refused(shard: number, code: FaultCode): void;
  /** `onCommitted` threw. The rows are durable and every follower will read them; the shortcut was missed. */
  shortcutFailed(shard: number, error: unknown): void;
}

export const silentLaneObserver: LaneObserver = {
  queued: () => {},
  committed: () => {},
  rerun: () => {},
  refused: () => {},
  shortcutFailed: () => {},
};

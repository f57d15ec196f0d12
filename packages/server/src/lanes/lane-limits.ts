import {
  idempotencyKeptMs,
  laneAttemptsMax,
  laneBatchWeightMax,
  laneExtraTransactionsMax,
  laneOutcomeMsMax,
  laneOutcomePauseMs,
  laneOverdueMs,
  laneQueueWeightMax,
  laneRetryAfterMs,
  laneTransactionMsMax,
  laneTransactionsMax,
  laneWaitMsMax,
} from '../limits.ts';

/** The bounds of the lanes, so that a test or a bench can draw them closer. */
export interface LaneLimits {
  readonly batchWeightMax: number;
  readonly queueWeightMax: number;
  readonly transactionsMax: number;
  /** More of them for lanes that have waited for `overdueMs`. */
  readonly extraTransactionsMax: number;
  readonly overdueMs: number;
  readonly waitMsMax: number;
  readonly transactionMsMax: number;
  readonly outcomeMsMax: number;
  readonly outcomePauseMs: number;
  readonly attemptsMax: number;
  readonly retryAfterMs: number;
  readonly replyKeptMs: number;
}

export const laneLimits: LaneLimits = Object.freeze({
  batchWeightMax: laneBatchWeightMax,
  queueWeightMax: laneQueueWeightMax,
  transactionsMax: laneTransactionsMax,
  extraTransactionsMax: laneExtraTransactionsMax,
  overdueMs: laneOverdueMs,
  waitMsMax: laneWaitMsMax,
  transactionMsMax: laneTransactionMsMax,
  outcomeMsMax: laneOutcomeMsMax,
  outcomePauseMs: laneOutcomePauseMs,
  attemptsMax: laneAttemptsMax,
  retryAfterMs: laneRetryAfterMs,
  replyKeptMs: idempotencyKeptMs,
});

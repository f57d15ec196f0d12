/*
 * Every bound of the server that no caller and no setting may lift, with the sketch that justifies it.
 */

// --- Lanes: writes that wait for their batch, one lane a shard. -------------------------------------------

/** Rows of one transaction. At 500 the cost of BEGIN, head and COMMIT is 1/500 a row; more adds only latency. */
export const laneBatchWeightMax = 500;

/**
 * Rows that wait in one lane. 16 lanes x 4,000 rows x about 2 kB = 128 MB at the very worst; at 5,000 rows a
 * second a lane it is under a second of work, so what is let in is not kept waiting to its deadline.
 */
export const laneQueueWeightMax = 4_000;

/** Lanes that are in a transaction at once. Fewer make larger batches, more use more of the engine's cores. */
export const laneTransactionsMax = 4;

/** How long a write may wait for its batch to begin. Callers give up at about this time anyway. */
export const laneWaitMsMax = 5_000;

/** One transaction, all its statements and COMMIT. */
export const laneTransactionMsMax = 10_000;

/** Looking for what became of a COMMIT whose answer was lost: about one restart of the engine. */
export const laneOutcomeMsMax = 10_000;

/** Pause between two such looks. */
export const laneOutcomePauseMs = 100;

/** Runs of one batch that loses races for rows before its writes are tried one by one. */
export const laneAttemptsMax = 4;

/** Told to a caller who meets a full lane: about the time that a full lane takes to drain. */
export const laneRetryAfterMs = 1_000;

/** How long the reply to a request with an Idempotency-Key is kept. */
export const idempotencyKeptMs = 24 * 3_600_000;

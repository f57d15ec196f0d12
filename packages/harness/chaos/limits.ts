/* Every bound of a chaos run, with the reason. */

/** Operations of one scenario that are held for the checker: 300 bytes each, 150 MB. Past it the run fails and says so. */
export const operationsMax = 500_000;

/** Bytes of the history that wait to be written: a page of the disk at a time, so that a crash loses a moment at most. */
export const historyBufferBytesMax = 64 * 1024;

/** Violations of one invariant that are told one by one; the rest is counted. */
export const violationsTold = 20;

/** Operations of one key and place that the search takes: its state is a set of them, kept as bits of a number. */
export const searchedOperationsMax = 48;

/** Steps of one search. A history that needs more is counted as undecided, never as passed. */
export const searchStepsMax = 200_000;

/** A write without a reply is given up after this, and its outcome stays unknown: over the server's own bounds (5 s in the lane and 10 s for a lost COMMIT). */
export const writeTimeoutMs = 18_000;

/** Times that one write is sent, always with the same Idempotency-Key: over some eight seconds, as long as a database takes to come back. */
export const writeAttemptsMax = 8;

/** Writes under way at once; what is due beyond is counted as not sent. */
export const writesUnderWayMax = 256;

/** Connections to one verifier; what is due beyond is counted as not sent. */
export const verifyConnectionsMax = 48;

/** By how much the clock of the checker and that of a server on the same machine are taken to differ, for expiry. */
export const expiryMarginMs = 2_000;

/** Evidence of a use is known to every server after this (docs/decisions/0015). */
export const useToldWithinMs = 5_000;
/** The window of `version_in_use`. */
export const inUseWindowMs = 300_000;

/** How often a key that is being revoked is presented to each verifier. */
export const watchPauseMs = 12;
/** The same where the lease is long, so that a verifier that is cut off for half a minute is not flooded by those who watch. */
export const watchPauseLongMs = 75;
/** Revocations that are watched while nobody has acknowledged them: 8 x 3 verifiers x 80 a second are 2,000 a second. */
export const watchesMax = 8;
/** Refusals in a row after which nobody looks any more: I5 goes on with a sample. */
export const refusalsEnough = 4;

/** Between two looks whether a fault is over. */
export const recoveryPollMs = 25;

/** From the end of a fault to all of it being served again, unless a scenario says otherwise: a lost link is retried within 2 s, a server starts in 3 to 5 s on a busy machine of two cores. */
export const recoveryMsMax = 15_000;

/** Bytes of one part of a dump that are searched at once. */
export const scanChunkBytes = 1024 * 1024;

/** After the last fault: a strict lease and its watch, so that the last revocations are seen to their bound. */
export const settleMs = 3_000;

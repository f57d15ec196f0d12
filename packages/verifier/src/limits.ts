/*
 * Every bound of the verifier that no caller and no setting may lift, with the sketch that justifies it.
 */

// --- Following a feed. --------------------------------------------------------------------------------------

/** Rows of one read: about 600 bytes each, 600 kB; decoding them holds the event loop for under 10 ms. */
export const feedPageRows = 1_000;

/** How often the lease is asked for, whatever it is: design §7. */
export const leaseAskMs = 250;

/** One ask for the lease: past this it is another try that is due, perhaps of another relay. */
export const leaseAskMsMax = 2_000;

/** One read of rows. */
export const rowsReadMsMax = 10_000;

/**
 * Between two rounds that waiting callers asked for, at least so long: a flood of keys that nobody knows costs at
 * most two hundred head reads a second, and its waiters 5 ms.
 */
export const catchUpPauseMs = 5;

/** The pause after a failed round doubles between these two, and is drawn at random below its value. */
export const followerPauseMsMin = 50;
export const followerPauseMsMax = 2_000;

/** Callers that wait for one catch-up round. A round takes milliseconds; more callers mean that the store hangs. */
export const catchUpWaitersMax = 10_000;

/** How long such a caller waits before it is told `stale`. */
export const catchUpWaitMsMax = 2_000;

/** Told with such a `stale`. */
export const staleRetryAfterMs = 1_000;

/** Pushed rows of one shard that wait for those before them: 1,000 x 2 kB a shard, and a read fetches the rest. */
export const aheadRowsMax = 1_000;

/** Rows that a push is given to bring by itself what a lease answer says is there, before it is read: one trip. */
export const pushGraceMs = 15;

/** Rounds in a row in which a push failed to bring what it should have, before it is taken for deaf. */
export const deafRoundsMax = 3;

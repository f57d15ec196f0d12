/*
 * Bounds of the cluster on one machine. It runs a dozen processes on few cores, so what waits for one of them is
 * patient, and what has to notice that one is gone is not.
 */

/** From spawn to the first 200 of `/readyz`: a dozen start at once. */
export const readyMsMax = 120_000;
export const lookEveryMs = 25;
/** SIGTERM to the end; then it is killed. A drain takes the drain delay and what is under way. */
export const endMsMax = 25_000;
/** A server goes on for so long after SIGTERM while the balancer, which looks every 250 ms, sees that it is not ready. */
export const drainDelayMs = 750;

/** How often the primary is asked whether it is there. */
export const probeEveryMs = 250;
/** One that doesn't answer for so long counts as failed. */
export const probeMsMax = 1_000;
/** In a row: one may be the machine's fault. At the most 3 × (1,000 + 250) ms go by before the old primary is fenced. */
export const failedProbesMax = 3;
/** A standby that has said nothing for so long is not in step. Less than the 10 s after which servers break a commit off. */
export const silentSecondsMax = 5;
/** From `pg_ctl promote` to a primary that takes writes. */
export const promoteMsMax = 30_000;
/** Until a standby streams and holds everything that the primary has. */
export const syncMsMax = 30_000;
/** What of the WAL is kept for a standby that is away, in MB: minutes of a burst. */
export const walKeptMb = 512;

/** Keys in one bulk call, as the API allows. */
export const bulkKeys = 1_000;
/** What a log of a member may be read back at once, from its end. */
export const outputBytesMax = 4 * 1024 * 1024;
/** Of them at once: more wait for the same lanes. */
export const bulkCallsMax = 4;
/** What `--keys` may ask for: 75 bytes a key in each of a dozen processes is 10 GB. */
export const keysMax = 10_000_000;

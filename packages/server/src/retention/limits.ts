/* Bounds of the sweep of what has ended. */

/** How often it is looked for. Nobody waits for it, and a day more or less of a retention of days is nothing. */
export const retentionSweepSeconds = 3_600;

/** Documents that are read at once, 400 kB of approvals; and that one sweep takes away at most, so that it ends. */
export const retentionPageRows = 200;
export const retentionSweptMax = 20_000;

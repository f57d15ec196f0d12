/* What the demonstration may take: it shares a machine with whoever looks at it. */

/** Keys of one run, and how many one request issues. */
export const demoKeys = 2_400;
export const demoBulk = 300;

/** Holders that are asked to renew: those of the most popular keys. */
export const demoFleet = 240;

/** Verifications a second, over the server and two nodes; so many may be under way, and the rest is left out. */
export const demoRate = 300;
export const demoTickMs = 20;
export const demoUnderWayMax = 48;

/** Of a hundred verifications: forged keys, and keys that lack what is asked for. */
export const demoForgedPercent = 2;
export const demoUnderScopedPercent = 1;

/** The lease of its keyspace. */
export const demoLeaseSeconds = 5;

/** How long a steady minute of load goes on after the last step, so that there is something to look at. */
export const demoAfterglowMs = 10 * 60_000;

/** Any one step that takes longer has failed. */
export const demoStepMsMax = 60_000;

/** A node that does not listen after this is given up. */
export const demoNodeStartMsMax = 30_000;

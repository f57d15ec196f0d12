/*
 * Bugs that chaos is to catch, the scenario that ought to, and the seed from which on they are looked for; docs/chaos.md tells
 * which were. The simulation (packages/harness/sim) looks for these and for those that take more to meet than real processes
 * come by in a minute.
 */

export interface PlantedCatch {
  readonly bug: string;
  readonly scenario: string;
  readonly seed: number;
  /** Told in the table; the run has to break this one. */
  readonly caughtBy: string;
}

export const plantedCatches: readonly PlantedCatch[] = [
  { bug: 'accept-when-stale', scenario: 'feed-blackhole', seed: 1, caughtBy: 'I1' },
  { bug: 'wall-clock-in-the-lease', scenario: 'clock-faults', seed: 1, caughtBy: 'I1' },
  { bug: 'ack-before-commit', scenario: 'primary-lost', seed: 1, caughtBy: 'I2' },
  { bug: 'idempotency-outside-the-transaction', scenario: 'database-crash', seed: 3, caughtBy: 'I4' },
  { bug: 'naive-outbox', scenario: 'database-crash', seed: 1, caughtBy: 'I6' },
  { bug: 'expiry-is-generous', scenario: 'feed-blackhole', seed: 1, caughtBy: 'I5' },
];

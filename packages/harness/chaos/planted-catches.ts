/*
 * Bugs that chaos has to catch, with the scenario and the seed that did. What is not here is caught by the simulation
 * (packages/harness/sim): chaos meets what needs real processes, disks and sockets.
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
  { bug: 'ack-before-commit', scenario: 'database-crash', seed: 1, caughtBy: 'I2' },
  { bug: 'idempotency-outside-the-transaction', scenario: 'database-crash', seed: 1, caughtBy: 'I4' },
  { bug: 'naive-outbox', scenario: 'database-crash', seed: 1, caughtBy: 'I6' },
  { bug: 'expiry-is-generous', scenario: 'feed-blackhole', seed: 1, caughtBy: 'I5' },
];

import type { SeededRandom } from '../kernel/seeded-random.ts';

/** How large a world is and what its clocks are like: drawn from the seed. */
export interface Plan {
  readonly servers: number;
  readonly relays: number;
  readonly verifiers: number;
  readonly shards: number;
  /** How often a lease is asked for. */
  readonly pollMs: number;
  /** By how much the rate of a clock is off at the most, as a share. */
  readonly driftMax: number;
  /** Of its keyspaces, seconds. */
  readonly leases: readonly number[];
  /**
   * What they are changed to. No shorter than twice the slowest poll of a chain, or a verifier would be stale between two asks
   * with nothing wrong.
   */
  readonly leasesLater: readonly number[];
  /** Between two requests of the workload, and between two faults, ms on average. */
  readonly pauseMs: number;
  readonly faultPauseMs: number;
}

/** As far as NTP lets two clocks drift, and as far as the lease allows for (1 % between any two). */
const drifts = [0.0004, 0.0045] as const;

/**
 * `busy`: everything happens at once, all the time. `calm`: long lives, in which clocks drift far, keys run out and days
 * pass between one fault and the next; an hour of it costs a tenth.
 */
export const paces = ['busy', 'calm'] as const;
export type Pace = (typeof paces)[number];

export function drawPlan(random: SeededRandom, pace: Pace): Plan {
  const isBusy = pace === 'busy';
  return {
    servers: random.pick(isBusy ? [1, 2, 2, 3] : [1, 2]),
    relays: random.pick([0, 1, 1]),
    verifiers: random.pick([2, 3, 4]),
    shards: random.pick([1, 2, 4]),
    pollMs: random.pick(isBusy ? [250, 1000, 1000, 2000] : [5_000, 10_000]),
    driftMax: random.pick(drifts),
    leases: isBusy
      ? [5 + random.below(4), 10 + random.below(30), random.pick([45, 90, 240])]
      : [25 + random.below(20), 60 + random.below(120), random.pick([240, 600])],
    leasesLater: isBusy ? [5, 8, 15, 40, 120] : [45, 90, 240, 600],
    pauseMs: random.pick(isBusy ? [4_000, 10_000, 25_000] : [60_000, 180_000]),
    faultPauseMs: random.pick(isBusy ? [20_000, 60_000, 150_000] : [600_000, 1_800_000]),
  };
}

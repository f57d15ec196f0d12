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
  /** Between two requests of the workload, and between two faults, ms on average. */
  readonly pauseMs: number;
  readonly faultPauseMs: number;
}

/** As far as NTP lets two clocks drift, and as far as the lease allows for (1 % between any two). */
const drifts = [0.0004, 0.0045] as const;

export function drawPlan(random: SeededRandom): Plan {
  return {
    servers: random.pick([1, 2, 2, 3]),
    relays: random.pick([0, 1, 1]),
    verifiers: random.pick([2, 3, 4]),
    shards: random.pick([1, 2, 4]),
    pollMs: random.pick([250, 1000, 1000, 2000]),
    driftMax: random.pick(drifts),
    leases: [5 + random.below(4), 10 + random.below(30), random.pick([45, 90, 240])],
    pauseMs: random.pick([4_000, 10_000, 25_000]),
    faultPauseMs: random.pick([20_000, 60_000, 150_000]),
  };
}

import type { Mode } from './simulation.ts';

/** Seeds that are run again and again, and why each is here. */
export interface RegressionSeed {
  readonly seed: number;
  readonly hours: number;
  readonly mode: Mode;
  readonly because: string;
}

export const regressionSeeds: readonly RegressionSeed[] = [
  {
    seed: 3,
    hours: 0.05,
    mode: 'liveness',
    because: 'the largest world that is drawn: three servers, a relay, four verifiers',
  },
  {
    seed: 11,
    hours: 0.1,
    mode: 'safety',
    because: 'a world that ends in the middle of its faults, with nothing mended',
  },
];

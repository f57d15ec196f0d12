import type { Mode } from './simulation.ts';

/*
 * A seed is a world only together with the code: a change of either draws another one. What was found once is therefore kept in
 * two ways: the seed here, for as long as it leads there, and a planted bug (`packages/harness/planted`), which is looked for by
 * as many seeds as it takes.
 */

/** Seeds that are run again and again, and why each is here. */
export interface RegressionSeed {
  readonly seed: number;
  readonly hours: number;
  readonly mode: Mode;
  readonly because: string;
}

export const regressionSeeds: readonly RegressionSeed[] = [
  {
    seed: 4,
    hours: 0.05,
    mode: 'liveness',
    because:
      'a rotation settled by the clock of a server that was ahead, while a cut-off verifier used the old version (its 34th minute, when it was found)',
  },
  {
    seed: 11,
    hours: 0.05,
    mode: 'safety',
    because: 'a world that ends in the middle of its faults, with nothing mended',
  },
];

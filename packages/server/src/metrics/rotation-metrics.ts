import type { Registry } from 'prom-client';
import type { RotationTimes } from '../access/rotation-evidence.ts';
import { DenseHistogram } from './dense-histogram.ts';

/** A second to a month: a rotation takes as long as its holder takes to deploy a secret. */
const bounds = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800, 2_592_000];
const stages = ['first_used', 'finished', 'forced', 'settled'] as const;

/**
 * How long rotations take. An end by the clock alone is nobody's act, and isn't in it.
 */
export class RotationMetrics implements RotationTimes {
  readonly #seconds: DenseHistogram<string>;

  constructor(registry: Registry) {
    this.#seconds = new DenseHistogram({
      registry,
      name: 'keyswarm_rotation_seconds',
      help: 'From when a rotation was asked for until its new version was first used (as verifiers tell, to a second), or its old one retired: unforced, by force, or settled by itself.',
      bounds,
      series: stages.map((stage) => ({ name: stage, labels: { stage } })),
    });
  }

  firstUsed(ms: number): void {
    this.#seconds.observe(0, ms / 1000);
  }

  retired(how: 'finished' | 'forced' | 'settled', ms: number): void {
    this.#seconds.observe(stages.indexOf(how), ms / 1000);
  }
}

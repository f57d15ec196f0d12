/*
 * What caught each planted bug (`packages/harness/planted`) when it was last searched for. A seed is a world only together
 * with the code, so a change of the product may let a bug past its seed: then `npm run sim:planted` goes on to others.
 */
export interface PlantedCatch {
  readonly bug: string;
  readonly seed: number;
  readonly hours: number;
  /** The promise that it was seen to break. */
  readonly invariant: string;
}

export const plantedCatches: readonly PlantedCatch[] = [
  { bug: 'accept-when-stale', seed: 2, hours: 0.7, invariant: 'I1' },
  { bug: 'wall-clock-in-the-lease', seed: 1, hours: 1, invariant: 'I1' },
  { bug: 'heartbeat-renews-lease', seed: 4, hours: 0.7, invariant: 'I1' },
  { bug: 'skip-a-sequence', seed: 1, hours: 0.1, invariant: 'I3' },
  { bug: 'relay-passes-no-age', seed: 4, hours: 0.7, invariant: 'I1' },
  { bug: 'older-fact-wins', seed: 12, hours: 1, invariant: 'I1' },
  { bug: 'ack-before-commit', seed: 1, hours: 0.1, invariant: 'I2' },
  { bug: 'naive-outbox', seed: 1, hours: 0.1, invariant: 'I6' },
  { bug: 'idempotency-outside-the-transaction', seed: 1, hours: 0.5, invariant: 'I4' },
  { bug: 'unknown-commit-runs-again', seed: 4, hours: 0.7, invariant: 'I4' },
  { bug: 'lease-counts-from-the-answer', seed: 6, hours: 0.7, invariant: 'I1' },
  { bug: 'settles-by-its-own-clock', seed: 3, hours: 0.7, invariant: 'I7' },
  { bug: 'double-rotate-on-resume', seed: 7, hours: 1, invariant: 'I4' },
  { bug: 'retired-in-use', seed: 1, hours: 0.5, invariant: 'I7' },
  { bug: 'expiry-is-generous', seed: 4, hours: 0.7, invariant: 'I5' },
];

/** Seeds that catch each planted bug (`packages/harness/planted`), as `npm run sim:planted -- --search` found them. */
export interface PlantedCatch {
  readonly bug: string;
  readonly seed: number;
  readonly hours: number;
  /** The promise that it was seen to break. */
  readonly invariant: string;
}

export const plantedCatches: readonly PlantedCatch[] = [];

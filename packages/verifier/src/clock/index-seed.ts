import { getRandomValues } from 'node:crypto';

/** Eight secret numbers of 16 bits that scatter the index (see `fingerprint-index.ts`). */
export type IndexSeed = Int32Array;

/** The one place where the verifier takes chance from the machine. Tests pass a seed of their own instead. */
export function randomIndexSeed(): IndexSeed {
  return Int32Array.from(getRandomValues(new Uint16Array(8)));
}

import { seeded } from '../../bound/seeded.ts';

/** Streams of chance out of one seed, one for each use: a draw more in one of them changes nothing in the others. */
export function chanceOf(seed: number): (use: string) => () => number {
  return (use) => {
    let mixed = seed >>> 0;
    for (const letter of use) mixed = Math.imul(mixed ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
    return seeded(mixed);
  };
}

/*
 * When requests fall due. `constant`: evenly. `poisson`: as independent callers come, at exponential distances; the
 * sum of several such processes is one of the summed rate, so that generators can share a load without speaking.
 */

export const schedules = ['poisson', 'constant'] as const;
export type Schedule = (typeof schedules)[number];

export interface Segment {
  readonly perSecond: number;
  readonly seconds: number;
}

export interface ArrivalOptions {
  readonly schedule: Schedule;
  readonly segments: readonly Segment[];
  readonly random: () => number;
  /** Part of a gap by which the first arrival is shifted: evenly spaced generators interleave by it. */
  readonly phase?: number;
}

/** The instants, in ms from the start, ascending. A new segment begins with a gap of its own rate. */
export function* arrivals({ schedule, segments, random, phase = 0 }: ArrivalOptions): Generator<number> {
  let beganMs = 0;
  for (const { perSecond, seconds } of segments) {
    const endsMs = beganMs + seconds * 1000;
    const meanMs = 1000 / perSecond;
    const gap = (): number => (schedule === 'constant' ? meanMs : -Math.log(1 - random()) * meanMs);
    let atMs = beganMs + (schedule === 'constant' ? phase * meanMs : gap());
    while (atMs < endsMs) {
      yield atMs;
      atMs += gap();
    }
    beganMs = endsMs;
  }
}

/** Small, fast, and the same everywhere for one seed (mulberry32): nothing here needs more of chance. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

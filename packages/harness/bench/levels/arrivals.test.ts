import { describe, expect, it } from 'vitest';
import { arrivals, seededRandom } from './arrivals.ts';
import { zipfRanks } from './zipf.ts';

const poisson = (seed: number) => ({
  schedule: 'poisson' as const,
  segments: [{ perSecond: 2_000, seconds: 10 }],
  random: seededRandom(seed),
});

describe('arrivals', () => {
  it('of a constant schedule are evenly spaced, and generators with phases interleave', () => {
    const of = (phase: number) =>
      [
        ...arrivals({
          schedule: 'constant',
          segments: [{ perSecond: 100, seconds: 0.05 }],
          random: () => 0.5,
          phase,
        }),
      ].map(Math.round);
    expect(of(0)).toEqual([0, 10, 20, 30, 40]);
    expect(of(0.5)).toEqual([5, 15, 25, 35, 45]);
  });

  it('of a Poisson schedule have the rate that was asked for and gaps that spread as much as their mean', () => {
    const at = [...arrivals(poisson(3))];
    expect(Math.abs(at.length - 20_000)).toBeLessThan(5 * Math.sqrt(20_000));
    const gaps = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const spread = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(spread / mean).toBeGreaterThan(0.95);
    expect(spread / mean).toBeLessThan(1.05);
  });

  it('are the same for the same seed, and not for another', () => {
    expect([...arrivals(poisson(3))].slice(0, 50)).toEqual([...arrivals(poisson(3))].slice(0, 50));
    expect([...arrivals(poisson(3))].slice(0, 50)).not.toEqual([...arrivals(poisson(4))].slice(0, 50));
  });

  it('come faster in a segment that is faster, and all lie within the segments', () => {
    const segments = [
      { perSecond: 100, seconds: 1 },
      { perSecond: 1_000, seconds: 1 },
      { perSecond: 100, seconds: 1 },
    ];
    const at = [...arrivals({ schedule: 'constant', segments, random: () => 0 })];
    const within = (from: number, to: number) => at.filter((ms) => ms >= from && ms < to).length;
    expect([within(0, 1000), within(1000, 2000), within(2000, 3000), at.length]).toEqual([
      100, 1000, 100, 1200,
    ]);
  });
});

describe('popularity', () => {
  it('after Zipf asks for the first key about twice as often as for the second, and for every key now and then', () => {
    const rank = zipfRanks(50, 1, seededRandom(9));
    const counts = new Array<number>(50).fill(0);
    for (let draw = 0; draw < 50_000; draw += 1) {
      const at = rank();
      counts[at] = (counts[at] ?? 0) + 1;
    }
    expect((counts[0] ?? 0) / (counts[1] ?? 1)).toBeGreaterThan(1.8);
    expect((counts[0] ?? 0) / (counts[1] ?? 1)).toBeLessThan(2.2);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });
});

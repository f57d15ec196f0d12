import { describe, expect, it } from 'vitest';
import { seededRandom } from './arrivals.ts';
import { LatencyHistogram } from './latency-histogram.ts';

describe('the histogram of latencies', () => {
  it('tells a quantile within 0.8 % above what it was, from a microsecond to a minute', () => {
    for (const ms of [0.001, 0.05, 0.127, 0.128, 0.5, 1, 3.3, 47, 999, 60_000]) {
      const histogram = new LatencyHistogram();
      histogram.record(ms);
      histogram.record(120_000);
      const told = histogram.quantile(0.5);
      expect(told).toBeGreaterThanOrEqual(ms);
      expect(told).toBeLessThanOrEqual(ms * 1.008 + 0.001);
    }
  });

  it('of several processes is the histogram of all their values', () => {
    const random = seededRandom(7);
    const values = Array.from({ length: 3_000 }, () => 500 * random() ** 4);
    const whole = new LatencyHistogram();
    const parts = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()];
    for (const [at, value] of values.entries()) {
      whole.record(value);
      parts[at % 3]?.record(value);
    }
    const merged = LatencyHistogram.from(...parts.map((part) => part.toSparse()));
    expect(merged.toSparse()).toEqual(whole.toSparse());
    const ascending = [...values].sort((a, b) => a - b);
    for (const share of [0.5, 0.9, 0.99]) {
      const exact = ascending[Math.ceil(share * ascending.length) - 1] ?? Number.NaN;
      expect(merged.quantile(share) / exact).toBeGreaterThan(0.999);
      expect(merged.quantile(share) / exact).toBeLessThan(1.01);
    }
  });

  it('refuses counts that no histogram can have', () => {
    expect(() => LatencyHistogram.from([-1, 3])).toThrow(RangeError);
    expect(() => LatencyHistogram.from([5, 0])).toThrow(RangeError);
    expect(() => LatencyHistogram.from([1e9, 1])).toThrow(RangeError);
  });
});

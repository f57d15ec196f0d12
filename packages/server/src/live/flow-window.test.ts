import { describe, expect, it } from 'vitest';
import type { FlowFigures } from './flow-figures.ts';
import { FlowWindow, quantileOf } from './flow-window.ts';

const empty = { bounds: [], counts: [] };
const figures = (
  valid: number,
  buckets: readonly number[] = [],
  more: Partial<FlowFigures> = {},
): FlowFigures => ({
  workers: 1,
  verdicts: { valid, revoked: 0 },
  requests: {},
  shed: {},
  internalErrors: 0,
  latency: {
    verify: { bounds: [0.001, 0.01, Number.POSITIVE_INFINITY], counts: buckets },
    issue: empty,
    rotate: empty,
    revoke: empty,
    commit: empty,
  },
  batches: 0,
  batchWrites: 0,
  inFlight: {},
  versions: 0,
  feedLagRows: 0,
  ...more,
});

describe('the window of the flow', () => {
  it('tells a rate of the last stretch, and none of what stands still', () => {
    const window = new FlowWindow();
    window.add(0, figures(100));
    window.add(1000, figures(160));
    window.add(1500, figures(200));
    expect(window.rates(({ verdicts }) => verdicts)).toEqual({ valid: 80 });
    expect(window.intervalMs).toBe(500);
  });

  it('takes a count that falls for one that has begun anew, not for a rate below nought', () => {
    const window = new FlowWindow();
    window.add(0, figures(100));
    window.add(1000, figures(10));
    expect(window.rates(({ verdicts }) => verdicts)).toEqual({});
  });

  it('reads quantiles off what was observed within the window, and off nothing before it', () => {
    const window = new FlowWindow();
    window.add(0, figures(0, [1000, 1000, 1000]));
    expect(window.quantiles('verify')).toBeNull();
    window.add(1000, figures(0, [1000, 1100, 1100]));
    // A hundred between 1 and 10 ms: the half of them lie below the middle.
    expect(window.quantiles('verify')).toEqual({ p50_ms: 5.5, p90_ms: 9.1, p99_ms: 9.91 });
    for (let second = 2; second < 14; second += 1) window.add(second * 1000, figures(0, [1000, 1100, 1100]));
    expect(window.quantiles('verify')).toBeNull();
  });

  it('averages the writes of a transaction over the window', () => {
    const window = new FlowWindow();
    window.add(0, figures(0, [], { batches: 10, batchWrites: 100 }));
    window.add(1000, figures(0, [], { batches: 12, batchWrites: 180 }));
    expect(window.batchWrites()).toBe(40);
  });
});

describe('a quantile of a histogram', () => {
  it.each([
    [{ bounds: [1, 2, Number.POSITIVE_INFINITY], counts: [0, 10, 10] }, 0.5, 1.5],
    [{ bounds: [1, 2, Number.POSITIVE_INFINITY], counts: [10, 10, 10] }, 1, 1],
    [{ bounds: [1, 2, Number.POSITIVE_INFINITY], counts: [0, 0, 10] }, 0.99, 2],
    [{ bounds: [], counts: [] }, 0.5, 0],
  ])('of %j at %d is %d', (histogram, share, expected) => {
    expect(quantileOf(histogram, share)).toBeCloseTo(expected, 9);
  });
});

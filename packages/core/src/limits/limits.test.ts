import { describe, expect, it } from 'vitest';
import { effectiveByMs, graceDefaultSeconds, leaseDriftRatio, maxGraceDefaultSeconds } from './limits.ts';

describe('the bound on a revocation', () => {
  it('is the lease and its drift after the acknowledgement, rounded up to a whole millisecond', () => {
    expect(effectiveByMs(1_000_000, 30_000)).toBe(1_030_300);
    expect(effectiveByMs(1_000_000, 2_000)).toBe(1_002_020);
    for (let leaseMs = 1000; leaseMs <= 600_000; leaseMs += 1000) {
      const boundMs = effectiveByMs(0, leaseMs);
      expect(Number.isInteger(boundMs)).toBe(true);
      // Never a moment too early: the promise is that nobody accepts after it.
      expect(boundMs).toBeGreaterThanOrEqual(leaseMs + Math.round(leaseMs * leaseDriftRatio));
      expect(boundMs).toBeLessThanOrEqual(leaseMs * (1 + leaseDriftRatio) + 1);
    }
  });
});

describe('the default grace', () => {
  it('fits into the default maximum', () => {
    expect(graceDefaultSeconds).toBeLessThanOrEqual(maxGraceDefaultSeconds);
  });
});

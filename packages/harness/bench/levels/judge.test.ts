import { describe, expect, it } from 'vitest';
import { findCapacity, keepsUp } from './find-capacity.ts';
import { fitUsl } from './fit-usl.ts';
import { flatnessOf, generatorLateMsMax, judgeBurst, judgeLevel, kneeOf, whyInvalid } from './judge.ts';
import { parseScrape, viewBetween } from './scrape.ts';
import { deadlineMs, mergeTallies, TallyKeeper } from './tally.ts';

const none = { server: viewBetween(new Map(), new Map()), serverCpuShare: null };

/** `offered` requests in a second, of which `ok` are answered after 5 ms. */
function tallyOf({ offered, ok, lateMs = 1 }: { offered: number; ok: number; lateMs?: number }) {
  const keeper = new TallyKeeper();
  for (let at = 0; at < offered; at += 1) {
    const dueMs = (at * 1000) / offered;
    keeper.due(dueMs, dueMs + lateMs);
    if (at < ok) keeper.answered('verify', dueMs, dueMs + 5);
    else keeper.refused('shed', '503 overloaded');
  }
  return keeper.toTally();
}

function level(percent: number, offered: number, ok: number, lateMs?: number) {
  const tally = tallyOf({ offered, ok, ...(lateMs === undefined ? {} : { lateMs }) });
  return judgeLevel({ percent, perSecond: offered, seconds: 1 }, tally, none);
}

describe('a level', () => {
  it('whose generator was late is no measurement, and says how late', () => {
    const late = level(100, 1000, 1000, generatorLateMsMax + 30);
    expect(late.invalid).toContain('late');
    expect(level(100, 1000, 1000).invalid).toBeNull();
  });

  it('whose generator made fewer requests than were due is no measurement', () => {
    expect(whyInvalid(tallyOf({ offered: 800, ok: 800 }), 1000)).toContain('800 of 1000');
    expect(whyInvalid(tallyOf({ offered: 970, ok: 970 }), 1000)).toBeNull();
  });

  it('counts what came past the deadline as late and not as goodput', () => {
    const keeper = new TallyKeeper();
    keeper.due(0, 0);
    keeper.answered('issue', 0, deadlineMs + 1);
    const { goodputPerSecond, lateShare } = judgeLevel(
      { percent: 100, perSecond: 1, seconds: 1 },
      keeper.toTally(),
      none,
    );
    expect([goodputPerSecond, lateShare]).toEqual([0, 1]);
  });

  it('of two generators adds counts, refusals and windows', () => {
    const merged = mergeTallies([tallyOf({ offered: 10, ok: 8 }), tallyOf({ offered: 20, ok: 19 })]);
    expect(merged).toMatchObject({ offered: 30, ok: 27, shed: 3, refusals: { '503 overloaded': 3 } });
    expect(merged.windowsOffered.reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(merged.kinds.verify.ok).toBe(27);
  });
});

describe('the knee and what comes after', () => {
  it('is the last level that is kept up with, and late levels say nothing of it', () => {
    const levels = [
      level(50, 500, 500),
      level(100, 1000, 990),
      level(150, 1500, 1000),
      level(200, 2000, 1000),
    ];
    expect(kneeOf(levels)).toBe(100);
    expect(flatnessOf(levels)).toBeCloseTo(1);
    expect(kneeOf([level(50, 500, 500), level(75, 750, 100, 90), level(100, 1000, 990)])).toBe(100);
  });

  it('shows a collapse as goodput that falls', () => {
    expect(flatnessOf([level(100, 1000, 1000), level(200, 2000, 150)])).toBeCloseTo(0.15);
    expect(flatnessOf([level(50, 500, 500)])).toBeNull();
  });
});

describe('a burst', () => {
  const asked = {
    basePerSecond: 100,
    burstPerSecond: 1000,
    beforeSeconds: 1,
    burstSeconds: 1,
    afterSeconds: 2,
  };
  const burst = (goodFromMs: number) => {
    const keeper = new TallyKeeper();
    for (let dueMs = 0; dueMs < 4000; dueMs += dueMs >= 1000 && dueMs < 2000 ? 1 : 10) {
      keeper.due(dueMs, dueMs);
      if (dueMs < 1000 || dueMs >= goodFromMs) keeper.answered('verify', dueMs, dueMs + 1);
      else keeper.unsent();
    }
    return judgeBurst(asked, keeper.toTally());
  };

  it('is recovered from at the first tenth of a second after which all are good', () => {
    expect(burst(2000).recoveredAfterMs).toBe(0);
    expect(burst(2750).recoveredAfterMs).toBe(800);
    expect(burst(5000).recoveredAfterMs).toBeNull();
  });
});

describe('the search for the capacity', () => {
  const server = (capacity: number) => async (perSecond: number) => ({
    perSecond,
    goodputPerSecond: Math.min(perSecond, capacity),
    p99Ms: perSecond > capacity ? 900 : 20,
  });

  it.each([500, 4_000])('finds %d a second, wherever it begins', async (capacity) => {
    for (const first of [capacity * 0.4, capacity, capacity * 1.7]) {
      const found = await findCapacity(first, server(capacity), { probesMax: 12, ratioMax: 1.04 });
      expect((found.perSecond ?? 0) / capacity).toBeGreaterThan(0.95);
      expect((found.perSecond ?? 0) / capacity).toBeLessThanOrEqual(1);
    }
  });

  it('says so where no rate is kept up with, and asks no more often than it may', async () => {
    const found = await findCapacity(1000, server(1), { probesMax: 4, ratioMax: 1.04 });
    expect(found.perSecond).toBeUndefined();
    expect(found.probes).toHaveLength(4);
  });

  it('does not take a queue that grows for keeping up', () => {
    expect(keepsUp({ perSecond: 100, goodputPerSecond: 100, p99Ms: 800 })).toBe(false);
  });
});

describe('the universal scalability law', () => {
  const curve = (lambda: number, sigma: number, kappa: number) =>
    [1, 2, 4, 8, 16, 32, 64].map((n) => ({
      underWay: n,
      perSecond: (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1)),
    }));

  it('is found again from points that follow it', () => {
    const fit = fitUsl(curve(1000, 0.05, 0.0002));
    expect(fit?.lambda).toBeCloseTo(1000, 3);
    expect(fit?.sigma).toBeCloseTo(0.05, 6);
    expect(fit?.kappa).toBeCloseTo(0.0002, 8);
    expect(fit?.peakUnderWay).toBeCloseTo(Math.sqrt(0.95 / 0.0002), 0);
    expect(fit?.rSquared).toBeCloseTo(1, 6);
  });

  it('has no coefficient below nought, and needs five points', () => {
    const superlinear = [1, 2, 4, 8, 16].map((n) => ({ underWay: n, perSecond: 10 * n ** 1.2 }));
    const fit = fitUsl(superlinear);
    expect(Math.min(fit?.sigma ?? -1, fit?.kappa ?? -1)).toBeGreaterThanOrEqual(0);
    expect(fitUsl(curve(1000, 0.05, 0).slice(0, 4))).toBeUndefined();
  });
});

describe('a scrape', () => {
  it('tells what grew between two, by label', () => {
    const before = parseScrape('# HELP a\nkeyswarm_shed_total{reason="caller"} 2\nkeyswarm_lane_depth 4\n');
    const after = parseScrape('keyswarm_shed_total{reason="caller"} 7\nkeyswarm_lane_depth 1\n');
    expect(viewBetween(before, after)).toMatchObject({
      shed: { caller: 5 },
      laneDepth: 1,
      feedLagRows: null,
    });
  });
});

import type { BurstResult, KindFigures, LevelResult } from './bench-result.ts';
import { keptUpShareMin } from './find-capacity.ts';
import { LatencyHistogram, type SparseCounts } from './latency-histogram.ts';
import type { ServerView } from './scrape.ts';
import { type OpKind, opKinds, type Tally, windowMs } from './tally.ts';

/* What the counts of a level mean. */

/** A generator that sees a hundredth of what falls due later than this makes another load than it says. */
export const generatorLateMsMax = 25;
/** Of what a schedule should have made due: chance may differ, a generator that was held up does by more. */
const offeredShareMin = 0.9;
/** Windows in which this share is answered in time are good again. */
const recoveredShareMin = 0.95;

export interface LevelAsked {
  readonly percent: number;
  readonly perSecond: number;
  readonly seconds: number;
}

export function judgeLevel(
  asked: LevelAsked,
  tally: Tally,
  seen: { readonly server: ServerView; readonly serverCpuShare: number | null },
): LevelResult {
  const share = (count: number): number => (tally.offered === 0 ? 0 : count / tally.offered);
  const latency = LatencyHistogram.from(tally.latency);
  const kinds: Partial<Record<OpKind, KindFigures>> = {};
  for (const kind of opKinds) {
    const { ok, latency: ofKind } = tally.kinds[kind];
    if (ofKind.length > 0) {
      kinds[kind] = {
        okPerSecond: ok / asked.seconds,
        p50Ms: quantileOf(ofKind, 0.5),
        p99Ms: quantileOf(ofKind, 0.99),
      };
    }
  }
  return {
    percent: asked.percent,
    offeredPerSecond: tally.offered / asked.seconds,
    seconds: asked.seconds,
    goodputPerSecond: tally.ok / asked.seconds,
    p50Ms: finite(latency.quantile(0.5)),
    p90Ms: finite(latency.quantile(0.9)),
    p99Ms: finite(latency.quantile(0.99)),
    p999Ms: finite(latency.quantile(0.999)),
    shedShare: share(tally.shed),
    unsentShare: share(tally.unsent),
    lateShare: share(tally.late),
    failedShare: share(tally.failed),
    wrong: tally.wrong,
    kinds,
    generatorLateP99Ms: quantileOf(tally.lateness, 0.99) ?? 0,
    invalid: whyInvalid(tally, asked.perSecond * asked.seconds),
    ...seen,
    tally,
  };
}

/** Null where the load that was made is the one that was asked for. */
export function whyInvalid(tally: Tally, expected: number): string | null {
  const lateMs = quantileOf(tally.lateness, 0.99) ?? 0;
  if (lateMs > generatorLateMsMax) {
    return `the generator was late: a hundredth of what fell due was seen ${lateMs.toFixed(0)} ms after, and ${generatorLateMsMax} ms are allowed`;
  }
  // A few arrivals may be few by chance alone.
  if (tally.offered < offeredShareMin * expected - 3 * Math.sqrt(expected)) {
    return `the generator made ${tally.offered} of ${Math.round(expected)} requests`;
  }
  return null;
}

/** The highest level up to which every valid one was kept up with. */
export function kneeOf(levels: readonly LevelResult[]): number | null {
  let knee: number | null = null;
  for (const level of inOrder(levels)) {
    if (level.goodputPerSecond < keptUpShareMin * level.offeredPerSecond) break;
    knee = level.percent;
  }
  return knee;
}

/** Past the knee goodput has to stay where it was: 1 is flat, 0 is collapsed. Null without a level past 100 %. */
export function flatnessOf(levels: readonly LevelResult[]): number | null {
  const valid = inOrder(levels);
  const last = valid.at(-1);
  const most = Math.max(0, ...valid.map(({ goodputPerSecond }) => goodputPerSecond));
  return last === undefined || last.percent <= 100 || most === 0 ? null : last.goodputPerSecond / most;
}

export interface BurstAsked {
  readonly basePerSecond: number;
  readonly burstPerSecond: number;
  readonly beforeSeconds: number;
  readonly burstSeconds: number;
  readonly afterSeconds: number;
}

export function judgeBurst(asked: BurstAsked, tally: Tally): BurstResult {
  const { basePerSecond, burstPerSecond, burstSeconds } = asked;
  const from = Math.round((asked.beforeSeconds * 1000) / windowMs);
  const until = from + Math.round((burstSeconds * 1000) / windowMs);
  const okInBurst = tally.windowsOk.slice(from, until).reduce((sum, count) => sum + count, 0);
  const expected = basePerSecond * (asked.beforeSeconds + asked.afterSeconds) + burstPerSecond * burstSeconds;
  return {
    basePerSecond,
    burstPerSecond,
    burstSeconds,
    goodputPerSecond: okInBurst / burstSeconds,
    recoveredAfterMs: recoveredAfterMs(tally, until),
    wrong: tally.wrong,
    invalid: whyInvalid(tally, expected),
    windowMs,
    tally,
  };
}

/** Up to the last window that was not good. A window in which nothing fell due says nothing. */
function recoveredAfterMs({ windowsOffered, windowsOk }: Tally, until: number): number | null {
  const isGood = (window: number): boolean =>
    (windowsOk[window] ?? 0) >= recoveredShareMin * (windowsOffered[window] ?? 0);
  let lastBad = until - 1;
  for (let window = until; window < windowsOffered.length; window += 1) if (!isGood(window)) lastBad = window;
  return lastBad >= windowsOffered.length - 1 ? null : (lastBad + 1 - until) * windowMs;
}

function inOrder(levels: readonly LevelResult[]): readonly LevelResult[] {
  return levels.filter(({ invalid }) => invalid === null).sort((a, b) => a.percent - b.percent);
}

function quantileOf(counts: SparseCounts, share: number): number | null {
  return finite(LatencyHistogram.from(counts).quantile(share));
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

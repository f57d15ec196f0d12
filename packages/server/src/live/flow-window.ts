import type { LiveQuantiles } from '@keyswarm/contract';
import { liveWindowFrames } from '../limits.ts';
import type { FlowFigures, HistogramFigures, LatencyOf } from './flow-figures.ts';

interface Reading {
  readonly atMs: number;
  readonly figures: FlowFigures;
}

/**
 * What has changed between readings of counts: rates over the last stretch, quantiles over the last ten, since a
 * second of a quiet server has too few observations to speak of a ninety-ninth percentile.
 */
export class FlowWindow {
  readonly #readings: Reading[] = [];

  /** `atMs`: monotonic. */
  add(atMs: number, figures: FlowFigures): void {
    this.#readings.push({ atMs, figures });
    if (this.#readings.length > liveWindowFrames + 1) this.#readings.shift();
  }

  get last(): FlowFigures | undefined {
    return this.#readings.at(-1)?.figures;
  }

  get intervalMs(): number {
    const [before, now] = this.#readings.slice(-2);
    return before === undefined || now === undefined ? 0 : now.atMs - before.atMs;
  }

  /** A second, of the last stretch; what stands still is left out. */
  rates(of: (figures: FlowFigures) => Readonly<Record<string, number>>): Record<string, number> {
    const [before, now] = this.#readings.slice(-2);
    if (before === undefined || now === undefined) return {};
    const earlier = of(before.figures);
    const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1000);
    const rates: Record<string, number> = {};
    for (const [name, count] of Object.entries(of(now.figures))) {
      // A count that falls is one of a worker that has begun anew.
      const rate = Math.max(0, count - (earlier[name] ?? 0)) / seconds;
      if (rate > 0) rates[name] = rounded(rate);
    }
    return rates;
  }

  quantiles(of: LatencyOf): LiveQuantiles | null {
    const [first] = this.#readings;
    const now = this.#readings.at(-1);
    if (first === undefined || now === undefined || first === now) return null;
    const grown = difference(first.figures.latency[of], now.figures.latency[of]);
    if ((grown.counts.at(-1) ?? 0) === 0) return null;
    const ms = (share: number) => rounded(quantileOf(grown, share) * 1000);
    return { p50_ms: ms(0.5), p90_ms: ms(0.9), p99_ms: ms(0.99) };
  }

  /** Writes a transaction, on average. */
  batchWrites(): number {
    const [first] = this.#readings;
    const now = this.#readings.at(-1);
    if (first === undefined || now === undefined) return 0;
    const batches = now.figures.batches - first.figures.batches;
    return batches <= 0 ? 0 : rounded((now.figures.batchWrites - first.figures.batchWrites) / batches);
  }
}

/** What was observed since; a bound that was not there before had nothing. */
function difference(before: HistogramFigures, now: HistogramFigures): HistogramFigures {
  const earlier = new Map(before.bounds.map((bound, at) => [bound, before.counts[at] ?? 0]));
  const counts = now.bounds.map((bound, at) =>
    Math.max(0, (now.counts[at] ?? 0) - (earlier.get(bound) ?? 0)),
  );
  return { bounds: now.bounds, counts };
}

/** Between two bounds as if the observations lay there evenly; above the last bound, that bound. */
export function quantileOf({ bounds, counts }: HistogramFigures, share: number): number {
  const wanted = (counts.at(-1) ?? 0) * share;
  let lower = 0;
  let below = 0;
  for (const [at, bound] of bounds.entries()) {
    const upTo = counts[at] ?? 0;
    if (upTo >= wanted && upTo > below) {
      if (!Number.isFinite(bound)) return lower;
      return lower + (bound - lower) * ((wanted - below) / (upTo - below));
    }
    if (Number.isFinite(bound)) lower = bound;
    below = upTo;
  }
  return lower;
}

function rounded(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 1000) / 1000;
}

/*
 * A histogram of high dynamic range, after HdrHistogram's idea: each octave of microseconds is cut into 128 parts, so
 * that a value read back is off by less than 0.8 %, from a microsecond to an hour, in a few thousand counters. Counts
 * of several processes are added without loss, which no list of percentiles could be: the p99 of a run is not the mean
 * of the p99s of its parts.
 */

/** 2^7 parts an octave. */
const partBits = 7;
const parts = 2 ** partBits;
/** Past this many µs (an hour) a value counts as this. */
const topMicros = 3_600_000_000;
const cells = cellOf(topMicros) + 1;

/** Pairs of cell and count, flat, of the cells that are not empty: for JSON and for messages between processes. */
export type SparseCounts = readonly number[];

export class LatencyHistogram {
  readonly #counts = new Float64Array(cells);
  #total = 0;
  #maxMs = 0;

  static from(...sparse: readonly SparseCounts[]): LatencyHistogram {
    const histogram = new LatencyHistogram();
    for (const counts of sparse) histogram.add(counts);
    return histogram;
  }

  get total(): number {
    return this.#total;
  }

  record(ms: number): void {
    const cell = cellOf(Math.max(0, ms * 1000));
    this.#counts[cell] = (this.#counts[cell] ?? 0) + 1;
    this.#total += 1;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  add(sparse: SparseCounts): void {
    for (let at = 0; at + 1 < sparse.length; at += 2) {
      const cell = sparse[at] ?? 0;
      const count = sparse[at + 1] ?? 0;
      if (!Number.isSafeInteger(cell) || cell < 0 || cell >= cells || !(count > 0)) {
        throw new RangeError(`a histogram has ${cells} cells and counts above 0: ${cell}, ${count}`);
      }
      this.#counts[cell] = (this.#counts[cell] ?? 0) + count;
      this.#total += count;
      this.#maxMs = Math.max(this.#maxMs, upperMsOf(cell));
    }
  }

  /** The value, in ms, at or below which this share of all lies; NaN of none. Never less than it really was. */
  quantile(share: number): number {
    if (this.#total === 0) return Number.NaN;
    const wanted = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [cell, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(upperMsOf(cell), this.#maxMs);
    }
    return this.#maxMs;
  }

  toSparse(): SparseCounts {
    const sparse: number[] = [];
    for (const [cell, count] of this.#counts.entries()) if (count > 0) sparse.push(cell, count);
    return sparse;
  }
}

function cellOf(micros: number): number {
  const whole = Math.min(Math.floor(micros), topMicros);
  if (whole < parts) return whole;
  const octave = Math.floor(Math.log2(whole)) - partBits;
  return (octave + 1) * parts + Math.floor(whole / 2 ** octave) - parts;
}

/** The largest value that falls into the cell. */
function upperMsOf(cell: number): number {
  if (cell < parts) return (cell + 1) / 1000;
  const octave = Math.floor(cell / parts) - 1;
  return ((cell % parts) + parts + 1) * 2 ** octave * 0.001;
}

import type { Metric, Registry } from 'prom-client';

/**
 * A histogram for paths that run a hundred thousand times a second. Each series is a row of plain numbers,
 * found by its place in a closed list instead of by hashing label values, so an observation costs five
 * comparisons. (prom-client's own histogram builds and hashes a label object at every observation.) The text
 * is made when it is scraped.
 */
export class DenseHistogram<Series extends string> {
  readonly #name: string;
  readonly #bounds: Float64Array;
  readonly #series: readonly { readonly name: Series; readonly labels: Readonly<Record<string, string>> }[];
  /** One row a series: a count for each bucket, then for what lies above them all. */
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;

  constructor(options: {
    readonly registry: Registry;
    readonly name: string;
    readonly help: string;
    /** Upper bounds, ascending, in the unit that the name ends in. */
    readonly bounds: readonly number[];
    readonly series: readonly { readonly name: Series; readonly labels: Readonly<Record<string, string>> }[];
  }) {
    this.#name = options.name;
    this.#bounds = Float64Array.from(options.bounds);
    this.#series = options.series;
    this.#counts = new Float64Array(options.series.length * (options.bounds.length + 1));
    this.#sums = new Float64Array(options.series.length);
    const collected = {
      name: options.name,
      help: options.help,
      type: 'histogram',
      aggregator: 'sum',
      get: async () => ({
        name: options.name,
        help: options.help,
        type: 'histogram',
        aggregator: 'sum',
        values: this.#values(),
      }),
    };
    // The registry asks of a metric only what stands here; its declared type names prom-client's own classes.
    options.registry.registerMetric(collected as unknown as Metric);
  }

  /** `place`: the index of the series in the list that the histogram was made with. */
  observe(place: number, value: number): void {
    const width = this.#bounds.length + 1;
    const at = place * width + this.#bucketOf(value);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sums[place] = (this.#sums[place] ?? 0) + value;
  }

  /** By halves: the first bound that is not below the value. */
  #bucketOf(value: number): number {
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value > (this.#bounds[middle] ?? Number.POSITIVE_INFINITY)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get bounds(): Float64Array {
    return this.#bounds;
  }

  /** The counts of these series, by their places, added up bucket by bucket; the last is what lies above all bounds. */
  sumOf(places: readonly number[]): Float64Array {
    const width = this.#bounds.length + 1;
    const sum = new Float64Array(width);
    for (const place of places) {
      for (let bucket = 0; bucket < width; bucket += 1) {
        sum[bucket] = (sum[bucket] ?? 0) + (this.#counts[place * width + bucket] ?? 0);
      }
    }
    return sum;
  }

  /** Series that were never observed are left out: most operations are rare. */
  #values(): object[] {
    const values: object[] = [];
    const width = this.#bounds.length + 1;
    for (const [place, { labels }] of this.#series.entries()) {
      const row = this.#counts.subarray(place * width, (place + 1) * width);
      let count = 0;
      const buckets: object[] = [];
      for (const [bucket, inBucket] of row.entries()) {
        count += inBucket;
        const le = bucket < width - 1 ? String(this.#bounds[bucket]) : '+Inf';
        buckets.push({ metricName: `${this.#name}_bucket`, labels: { ...labels, le }, value: count });
      }
      if (count === 0) continue;
      values.push(...buckets);
      values.push({ metricName: `${this.#name}_sum`, labels, value: this.#sums[place] ?? 0 });
      values.push({ metricName: `${this.#name}_count`, labels, value: count });
    }
    return values;
  }
}

import { Counter, Gauge, type Registry } from 'prom-client';

/** Makes metrics whose value is asked for when they are scraped, and kept by somebody else. */
export function readMetrics(registry: Registry) {
  const registers = [registry];
  return {
    /** `read` tells the whole count so far. */
    counter: (name: string, help: string, read: () => number) =>
      new Counter({
        registers,
        name,
        help,
        collect() {
          this.reset();
          this.inc(read());
        },
      }),
    /** `aggregator`: what becomes of the figures of several workers. */
    gauge: (name: string, help: string, read: () => number, aggregator: 'sum' | 'max' = 'sum') =>
      new Gauge({
        registers,
        name,
        help,
        aggregator,
        collect() {
          this.set(read());
        },
      }),
  };
}

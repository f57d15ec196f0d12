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
    gauge: (name: string, help: string, read: () => number) =>
      new Gauge({
        registers,
        name,
        help,
        collect() {
          this.set(read());
        },
      }),
  };
}

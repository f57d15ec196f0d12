import { afterEach, describe, it } from 'vitest';
import { type BenchOptions, TransportBench } from './testing/transport-bench.ts';
import { transportCases } from './transport-cases.conformance.ts';

/*
 * What a transport of the feed is: whatever passes this. It may be late, deaf, doubled or gone; a verifier behind it
 * says nothing that its lease does not cover, and comes back by itself. In process, HTTP and a broker run the same
 * cases, over the same authority in memory and its relay; what differs is the way in between, and how that is broken.
 */

/** Every case on one transport. */
export function describeTransport(name: string, options: BenchOptions): void {
  describe(`the feed ${name}`, () => {
    let bench: TransportBench | undefined;
    afterEach(async () => {
      await bench?.stop();
      bench = undefined;
    });

    for (const { title, run } of transportCases) {
      it(title, { timeout: 60_000 }, async () => {
        bench = await TransportBench.start(options);
        await run(bench);
      });
    }
  });
}

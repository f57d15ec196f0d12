import { afterEach, describe, it } from 'vitest';
import { checkRandomFaults } from './random-faults.conformance.ts';
import { type BenchOptions, TransportBench } from './testing/transport-bench.ts';
import { transportCases } from './transport-cases.conformance.ts';

/*
 * What a transport of the feed is: whatever passes this. It may be late, deaf, doubled or gone; a verifier behind it
 * says nothing that its lease does not cover, and comes back by itself. In process, HTTP and a broker run the same
 * cases, over the same authority in memory and its relay; what differs is the way in between, and how that is broken.
 */

export interface TransportSuite extends BenchOptions {
  /** Schedules of faults that are tried; 5 by default. */
  readonly runs?: number | undefined;
  /** Of the test, for the command that replays a failure. */
  readonly file?: string | undefined;
}

/** Every case on one transport. */
export function describeTransport(name: string, options: TransportSuite): void {
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

    it('lets no key be valid that was revoked longer ago than the lease, whatever fails, and recovers', {
      timeout: 300_000,
    }, async () => {
      const { runs = 5, file = 'conformance' } = options;
      await checkRandomFaults({ bench: options, runs, file, environment: process.env });
    });
  });
}

import { parseArgs } from 'node:util';
import { quantile } from '../bound/open-load.ts';
import { seeded } from '../bound/seeded.ts';
import type { CrashEvidence } from './crash.ts';
import { proveCrash } from './prove-crash.ts';

/*
 * npm run prove:crash -- [--cycles 1000] [--slice 50] [--writers 8] [--seed 1]
 *
 * SIGKILL and restart of one node with its embedded store, so many times. Ends with 1 at the first loss.
 */

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1000' },
    slice: { type: 'string', default: '50' },
    writers: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
  },
});

const began = performance.now();
let seen: CrashEvidence | undefined;
try {
  const evidence = await proveCrash({
    cycles: countOf('cycles'),
    sliceCycles: countOf('slice'),
    writers: countOf('writers'),
    random: seeded(countOf('seed')),
    report: (soFar) => {
      seen = soFar;
      console.error(line(soFar));
    },
  });
  console.log(`${line(evidence)}: none lost, none extra (seed ${values.seed})`);
} catch (error) {
  console.error(`BROKEN  ${error instanceof Error ? error.message : String(error)}`);
  if (seen !== undefined) console.error(`after ${line(seen)} (seed ${values.seed})`);
  process.exitCode = 1;
}

function line({ kills, killedStarts, acked, keys, inFlight, recoveryMs }: CrashEvidence): string {
  const sorted = recoveryMs.toSorted((one, other) => one - other);
  const seconds = Math.round((performance.now() - began) / 1000);
  return (
    `SIGKILL ×${kills} (and ×${killedStarts} while starting) in ${seconds} s, ${acked} acked requests, ${keys} keys, ` +
    `${inFlight} in flight at a kill, ready again p50 ${Math.round(quantile(sorted, 0.5))} ms ` +
    `p99 ${Math.round(quantile(sorted, 0.99))} ms max ${Math.round(sorted.at(-1) ?? 0)} ms`
  );
}

function countOf(name: keyof typeof values): number {
  const count = Number(values[name]);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  console.error(`--${name}: expected a whole number of at least 1, got ${values[name]}`);
  process.exit(2);
}

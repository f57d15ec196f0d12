import { parseArgs } from 'node:util';
import { proveSpine } from './prove-spine.ts';

/*
 * npm run prove:spine -- [--store embedded|postgres] [--keys 10000] [--cycles 5] [--writers 32]
 */

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'embedded' },
    keys: { type: 'string', default: '10000' },
    cycles: { type: 'string', default: '5' },
    writers: { type: 'string', default: '32' },
  },
});
if (values.store !== 'embedded' && values.store !== 'postgres') {
  console.error(`--store: expected embedded or postgres, got ${values.store}`);
  process.exit(2);
}

const proof = await proveSpine({
  store: values.store,
  keys: countOf('keys', values.keys, 1000),
  rotated: 100,
  revoked: 100,
  cycles: countOf('cycles', values.cycles, 1),
  writers: countOf('writers', values.writers, 1),
  random: Math.random,
  report: ({ step, found, tookMs }) => console.log(`${step.padEnd(28)} ${found}  (${Math.round(tookMs)} ms)`),
});
const recoveries = proof.crash.recoveryMs.map((ms) => Math.round(ms)).join(', ');
console.log(
  `SIGKILL ×${proof.crash.kills}`.padEnd(28),
  `${proof.crash.acked} acked requests, ${proof.crash.keys} keys: none lost, none extra; ` +
    `${proof.crash.inFlight} in flight at the kill, each with one effect after a retry`,
);
console.log('restart to ready (ms)'.padEnd(28), recoveries);
console.log('secrets in the output'.padEnd(28), String(proof.leaked));
console.log('drain on SIGTERM'.padEnd(28), `exit ${proof.exitCode}`);
if (proof.leaked > 0 || proof.exitCode !== 0) process.exitCode = 1;

function countOf(name: string, text: string | undefined, min: number): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < min) {
    console.error(`--${name}: expected a whole number of at least ${min}, got ${text}`);
    process.exit(2);
  }
  return count;
}

import { runSeed } from './seed-result.ts';
import type { Mode } from './simulation.ts';

/* A process of `npm run sim -- --jobs …`: every so-manieth seed, a line of JSON each. */

const [first = 1, count = 1, step = 1, hours = 1] = process.argv.slice(2, 6).map(Number);
const mode = process.argv[6] as Mode;
for (let at = 0; at < count; at += step)
  console.log(JSON.stringify(await runSeed({ seed: first + at, hours, mode })));

import { runSeed } from './seed-result.ts';
import type { WorldChoice } from './simulation.ts';

/* A process of `npm run sim -- --jobs …`: every so-manieth seed, a line of JSON each. */

const [count = 1, step = 1] = process.argv.slice(2, 4).map(Number);
const first = JSON.parse(process.argv[4] ?? '{}') as WorldChoice;
for (let at = 0; at < count; at += step)
  console.log(JSON.stringify(await runSeed({ ...first, seed: first.seed + at })));

import { Violation } from './check/violation.ts';
import { simulate } from './simulation.ts';

/*
 * Runs seeds one after the other until one comes to grief, and says so in one line of JSON. Started by `catch-planted.ts`
 * with a bug planted in it: `node --import …/planted/register.ts catch-one.ts <first seed> <seeds> <hours>`.
 */

/** What caught the bug; null: every seed was as good as without it. */
export interface Caught {
  readonly seed: number;
  readonly hours: number;
  readonly invariant: string;
  readonly atMs: number;
  readonly what: string;
}

const [first = 1, count = 1, hours = 1] = process.argv.slice(2).map(Number);
let caught: Caught | null = null;
for (let seed = first; seed < first + count && caught === null; seed += 1) {
  const { failure } = await simulate({ seed, hours, mode: 'liveness', pace: 'busy' });
  if (failure === undefined) continue;
  const { error, atMs } = failure;
  const what = error instanceof Error ? error.message : String(error);
  caught = { seed, hours, atMs, invariant: error instanceof Violation ? error.invariant : 'none', what };
}
console.log(JSON.stringify(caught));

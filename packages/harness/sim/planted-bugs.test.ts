import { describe, expect, it } from 'vitest';
import { plantedBugs } from '../planted/planted-bugs.ts';
import { plantedCatches } from './planted-catches.ts';
import { runPlanted } from './run-planted.ts';

/** Those that are caught early in almost any world; the others take the command. */
const quickToCatch = [
  { bug: 'ack-before-commit', invariant: 'I2' },
  { bug: 'skip-a-sequence', invariant: 'I3' },
];

describe('planted bugs in simulated worlds', () => {
  it.each(quickToCatch)('$bug is caught, as a breach of $invariant', async ({ bug, invariant }) => {
    const caught = await runPlanted(bug, { first: 1, count: 4, hours: 0.1 });
    expect(caught?.invariant).toBe(invariant);
  });

  it('each is in the list of what caught them, and no other', () => {
    const names = (of: readonly string[]) => [...of].sort();
    expect(names(plantedCatches.map(({ bug }) => bug))).toEqual(names(plantedBugs.map(({ name }) => name)));
  });
});

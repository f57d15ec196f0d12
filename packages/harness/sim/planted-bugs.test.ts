import { describe, expect, it } from 'vitest';
import { findPlantedBug } from '../planted/planted-bugs.ts';
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

  it('the list of what caught them speaks of bugs that there are', () => {
    for (const { bug } of plantedCatches) expect(findPlantedBug(bug).name).toBe(bug);
  });
});

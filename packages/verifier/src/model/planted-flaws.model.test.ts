import { describe, expect, it, vi } from 'vitest';
import { explore } from './explore.ts';
import { type Flaw, flaws } from './flaws.ts';
import { scenarios, shownBy } from './scenarios.ts';
import { promises } from './verdict.ts';

vi.setConfig({ testTimeout: 120_000 });

/*
 * Every flaw breaks the very promise that it is said to break. `run-model.ts` prints the way there:
 *
 *   node packages/verifier/src/model/run-model.ts 200000 raiseAtOnce
 */

describe('a protocol with a flaw has a counterexample', () => {
  it.each(Object.entries(flaws) as [Flaw, string][])('%s: %s', (flaw) => {
    const { where, breaks } = shownBy[flaw];
    const { breach } = explore({
      protocol: { scenario: scenarios[where], flaw },
      statesMax: 200_000,
      only: breaks,
    });
    expect(breach?.what).toContain(promises[breaks]);
    expect(breach?.trace.length).toBeGreaterThan(2);
  });

  it('an answer from before a drop lets a verifier unlearn what it had reported as applied, too', () => {
    const { breach } = explore({
      protocol: { scenario: scenarios.wait, flaw: 'dropCountsOldBases' },
      statesMax: 50_000,
      only: 'claim',
    });
    expect(breach?.what).toContain(promises.claim);
  });

  it('and it is told in words, one of the shortest there are', () => {
    const { breach } = explore({
      protocol: { scenario: scenarios.tables, flaw: 'diskStartsFresh' },
      statesMax: 10_000,
      only: 'bound',
    });
    expect(breach).toMatchInlineSnapshot(`
      {
        "trace": [
          "the primary commits 'r' in shard 0",
          "'r' is acknowledged, effective_by in 2",
          "a tick",
          "V1 is killed and starts from a disk snapshot at 1:0",
          "a tick",
          "a tick",
        ],
        "what": "V1 says VALID of the key that 'r' revoked, after effective_by",
      }
    `);
  });
});

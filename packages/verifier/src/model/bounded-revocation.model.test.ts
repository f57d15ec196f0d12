import { describe, expect, it, vi } from 'vitest';
import { explore, stepsFrom } from './explore.ts';
import { staleForEver } from './heal.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';
import type { Scenario } from './world.ts';

// A search is a second or two of one core, but the core may be shared.
vi.setConfig({ testTimeout: 120_000 });

/*
 * How many states each scenario has. Written down, because a model that lost its way would keep every promise by
 * reaching next to nothing; whoever changes the model changes the number with it, and looks at why.
 */
const statesOf: Readonly<Record<ScenarioName, number>> = {
  one: 18_082,
  tables: 35_904,
  clocks: 28_020,
  wall: 6132,
  shards: 27_704,
  chain: 37_011,
  poison: 6364,
  quarantine: 1445,
  failover: 29_483,
  epochs: 8200,
  wait: 8611,
  waitLoss: 43_017,
  waitChain: 83_782,
  raise: 12_780,
  lower: 49_884,
};

/** The largest is searched to its end by the command (`run-model.ts`) alone; here it is begun. */
const begun: Readonly<Partial<Record<ScenarioName, number>>> = { waitChain: 25_000 };

const all = Object.entries(scenarios) as [ScenarioName, Scenario][];

describe('the protocol, in every state that can be reached', () => {
  it.each(all)('keeps the bound, the claim and its own refusals: %s', (name, scenario) => {
    const states = begun[name] ?? statesOf[name];
    // One more than there are: a model that has grown shows as well as one that has shrunk.
    const statesMax = begun[name] ?? states + 1;
    const found = explore({ protocol: { scenario, flaw: undefined }, statesMax });
    expect(found).toEqual({ states, complete: begun[name] === undefined, breach: undefined });
  });

  it('can say VALID, have a revocation acknowledged, and claim that it is effective: the promises are not empty', () => {
    const reached = { valid: false, past: false, claimed: false };
    explore({
      protocol: { scenario: scenarios.wait, flaw: undefined },
      statesMax: 20_000,
      also: ({ due, claimed, nodes }) => {
        reached.valid ||= nodes.some(({ facts, bases }) => facts === '' && bases[0] === 0);
        reached.past ||= due[0] === -1;
        reached.claimed ||= claimed && due[0] !== -1;
        return undefined;
      },
    });
    expect(reached).toEqual({ valid: true, past: true, claimed: true });
  });
});

/** Where a new epoch or a row that can't be read leaves a way back: by a snapshot. */
const healing = all.filter(([name]) => !['failover', 'poison', 'quarantine'].includes(name));

describe('once the faults are over', () => {
  it.each(healing)('every verifier comes back to a fresh lease: %s', (_, scenario) => {
    const protocol = { scenario, flaw: undefined };
    const { states, breach } = explore({
      protocol,
      statesMax: 2500,
      also: (world) => staleForEver(protocol, world, stepsFrom),
    });
    expect(breach).toBeUndefined();
    expect(states).toBe(2500);
  });

  it('a verifier that is never given the snapshot of a new epoch stays stale: the check can fail', () => {
    const protocol = { scenario: scenarios.failover, flaw: undefined };
    const { breach } = explore({
      protocol,
      statesMax: 2500,
      also: (world) => staleForEver(protocol, world, stepsFrom),
    });
    expect(breach?.what).toBe('V1 stays stale');
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { leaseDriftRatio } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { flaws } from './flaws.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';

/* SPEC.md of this package, held to the tests and the model that it names. */

const spec = readFileSync(new URL('../../SPEC.md', import.meta.url), 'utf8').replaceAll(/ +/g, ' ');

describe('SPEC.md', () => {
  it('numbers its invariants without a gap, and each names a test that exists', () => {
    const rows = [...spec.matchAll(/^\| I(\d+) \| .* \| `([\w./-]+\.test\.ts)`: (.*) \|$/gm)];
    expect(rows.map(([, number]) => Number(number))).toEqual(rows.map((_, at) => at + 1));
    expect(rows.length).toBeGreaterThanOrEqual(12);
    for (const [, number, file = '', title = ''] of rows) {
      const url = new URL(`../${file}`, import.meta.url);
      expect(existsSync(url), `I${number}: ${file}`).toBe(true);
      expect(readFileSync(url, 'utf8'), `I${number}: ${title}`).toContain(title);
    }
  });

  it('names every flaw that the model plants, and no other', () => {
    const named = [...spec.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(named.toSorted()).toEqual(Object.keys(flaws).toSorted());
  });

  it('names every scenario, with its number of states', () => {
    const test = readFileSync(new URL('bounded-revocation.model.test.ts', import.meta.url), 'utf8');
    for (const name of Object.keys(scenarios) as ScenarioName[]) {
      const states = new RegExp(`^  ${name}: ([\\d_]+),$`, 'm').exec(test)?.[1]?.replaceAll('_', '');
      expect(states, name).toBeDefined();
      expect(spec).toMatch(
        new RegExp(`^\\| ${name} \\| .* \\| ${Number(states).toLocaleString('en')} \\|$`, 'm'),
      );
    }
  });

  it('says ρ as it is', () => {
    expect(spec).toContain(`ρ = ${leaseDriftRatio}`);
  });
});

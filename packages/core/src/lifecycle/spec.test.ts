import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keyTransitions, type Transition, versionTransitions } from './transitions.ts';

/* SPEC.md tells the tables and the invariants in words; here it is held to what the code and the tests say. */

// The formatter pads the cells of a table; what they say is what counts.
const spec = readFileSync(new URL('SPEC.md', import.meta.url), 'utf8')
  .replaceAll(/ +/g, ' ')
  .replaceAll(/-{3,}/g, '---');

function cellOf(transition: Transition<string>): string {
  return 'to' in transition ? transition.to.join(' or ') : `\`${transition.refuse}\``;
}

function tableOf(table: Readonly<Record<string, Readonly<Record<string, Transition<string>>>>>): string {
  const states = Object.keys(table);
  const events = Object.keys(Object.values(table)[0] ?? {});
  const rows = states.map((state) => [
    `**${state}**`,
    ...events.map((event) => cellOf(table[state]?.[event] ?? { to: [] })),
  ]);
  return [['', ...events], ['---', ...events.map(() => '---')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`.replaceAll(/ +/g, ' '))
    .join('\n');
}

describe('SPEC.md', () => {
  it('holds the table of keys as it is', () => {
    expect(spec).toContain(tableOf(keyTransitions));
  });

  it('holds the table of versions as it is', () => {
    expect(spec).toContain(tableOf(versionTransitions));
  });

  it('numbers its invariants without a gap, and each names a test that exists', () => {
    const rows = [...spec.matchAll(/^\| I(\d+) \| .* \| `([\w.-]+\.test\.ts)`: (.*) \|$/gm)];
    expect(rows.map(([, number]) => Number(number))).toEqual(rows.map((_, at) => at + 1));
    expect(rows.length).toBeGreaterThanOrEqual(12);
    for (const [, number, file = '', title = ''] of rows) {
      const url = new URL(file, import.meta.url);
      expect(existsSync(url), `I${number}: ${file}`).toBe(true);
      expect(readFileSync(url, 'utf8'), `I${number}: ${title}`).toContain(title);
    }
  });
});

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeSection } from '../markdown/write-section.ts';
import { benchPeers } from './bench-peers.ts';
import { peersMarkdown } from './peers-report.ts';

/*
 * npm run bench:peers -- [--rounds 5] [--seconds 3] [--dry]
 *
 * Writes the section `peers` of docs/benchmarks.md, unless --dry.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    dry: { type: 'boolean', default: false },
  },
});
const results = await benchPeers({
  rounds: numberOf('rounds', values.rounds, 1),
  seconds: numberOf('seconds', values.seconds, 0.2),
  say: (line) => console.error(line),
});
const given = process.argv.slice(2).filter((arg) => arg !== '--dry');
const command = ['npm run bench:peers', ...(given.length === 0 ? [] : ['--', ...given])].join(' ');
const markdown = peersMarkdown(results, command);
console.log(markdown);
if (!values.dry) {
  const page = fileURLToPath(new URL('../../../../docs/benchmarks.md', import.meta.url));
  await writeSection(page, 'peers', markdown);
}

function numberOf(name: string, text: string, min: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= min) return value;
  console.error(`--${name}: expected a number of at least ${min}, got ${text}`);
  process.exit(2);
}

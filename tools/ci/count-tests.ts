import { existsSync, readFileSync } from 'node:fs';
import { countTests } from './test-counts.ts';

/**
 * `node tools/ci/count-tests.ts <vitest's json> <exit code of npm test>`: prints `N passed, N failed` as its
 * last line, and exits with 1 unless everything ran and passed.
 */
const [path = '', exitCode = '1'] = process.argv.slice(2);
const report: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
const { passed, failed, notes } = countTests(report, Number(exitCode));

for (const note of notes) console.log(note);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

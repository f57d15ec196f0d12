import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { listFiles } from '../source/list-files.ts';
import { findViolations } from './find-violations.ts';

/** `node tools/doors/check-doors.ts [root]`: prints every breach of `rules.ts`; exit code 1 if there is one. */
const root = resolve(process.argv[2] ?? join(import.meta.dirname, '../..'));
const sources = listFiles(root).filter((path) => /^packages\/.*\.m?ts$/.test(path));
const violations = sources.flatMap((path) => findViolations(path, readFileSync(join(root, path), 'utf8')));

for (const { path, line, target, rule, because } of violations) {
  console.log(`${path}:${line}: ${rule}: may not import ${target}, because ${because}`);
}
console.log(
  `doors: ${sources.length} files, ${violations.length} ${violations.length === 1 ? 'breach' : 'breaches'}`,
);
if (violations.length > 0) process.exitCode = 1;

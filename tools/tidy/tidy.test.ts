import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matches } from '../doors/find-violations.ts';
import { listFiles, listTrackedFiles } from '../source/list-files.ts';
import { repositoryRules } from './repository-rules.ts';
import { linesToThink, type SourceFile, type TidyRule, tidyRules } from './rules.ts';

const root = join(import.meta.dirname, '../..');

const read = (paths: readonly string[]): readonly SourceFile[] =>
  paths
    .filter((path) => existsSync(join(root, path)) && statSync(join(root, path)).isFile())
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

const looksAt = (rule: TidyRule, path: string) =>
  matches(rule.files, path) && !matches(rule.free ?? [], path);

const breachesOf = (rule: TidyRule, files: readonly SourceFile[]) =>
  files
    .filter(({ path }) => looksAt(rule, path))
    .flatMap((file) =>
      rule.find(file).map(({ line, found }) => `${file.path}:${line}: ${found} (${rule.because})`),
    );

describe('the source is tidy', () => {
  const files = read(listFiles(root));

  it.each(tidyRules.map((rule) => [rule.name, rule] as const))('%s', (_, rule) => {
    expect(breachesOf(rule, files)).toEqual([]);
  });

  it('says which files are long enough to think about', () => {
    const long = files
      .filter(({ path }) => path.endsWith('.ts'))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > linesToThink);
    for (const { path, lines } of long) console.warn(`${path} has ${lines} lines: think of splitting it`);
    expect(long.length).toBeLessThan(files.length);
  });
});

describe('nothing that a clone holds is a secret or belongs to one machine', () => {
  const files = read(listTrackedFiles(root));

  it.each(repositoryRules.map((rule) => [rule.name, rule] as const))('%s', (_, rule) => {
    expect(breachesOf(rule, files)).toEqual([]);
  });
});

describe('every rule finds the breach planted for it', () => {
  it.each([...tidyRules, ...repositoryRules].map((rule) => [rule.name, rule] as const))('%s', (_, rule) => {
    expect(breachesOf(rule, [rule.breach])).not.toEqual([]);
  });
});

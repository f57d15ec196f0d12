import { matches } from '../doors/find-violations.ts';
import { readImports } from '../doors/read-imports.ts';
import type { Token } from '../source/scan-tokens.ts';
import { codeTokens, scanTokens } from '../source/scan-tokens.ts';

/*
 * What the house style asks of the source and no linter checks. One row a rule, as data: which files it looks
 * at, which of them are free of it, what it finds, and why. `breach` is a planted fault that the row has to
 * find; the test beside this file tries every one.
 */

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Finding {
  readonly line: number;
  readonly found: string;
}

export interface TidyRule {
  readonly name: string;
  readonly files: readonly string[];
  readonly free?: readonly string[];
  readonly find: (file: SourceFile) => readonly Finding[];
  readonly because: string;
  readonly breach: SourceFile;
}

const sources = ['**/*.ts', '**/*.tsx', '**/*.mjs'];
const tests = ['**/*.test.ts', '**/*.conformance.ts', '**/*-conformance.ts'];
/** The only files that may ask the machine for the time, for chance, for a timer or for a variable. */
const runtimePorts = [
  'packages/server/src/runtime/*.ts',
  'packages/verifier/src/runtime/*.ts',
  'packages/verifier/src/clock/*.ts',
  'packages/sdk/src/runtime/*.ts',
  'packages/console/src/runtime/*.ts',
  'packages/cli/**',
  'packages/harness/**',
  'tools/**',
];

export const linesMax = 600;
export const linesToThink = 400;

export const tidyRules: readonly TidyRule[] = [
  {
    name: 'no file over 600 lines',
    files: sources,
    find: ({ text }) => {
      const lines = text.split('\n').length - 1;
      return lines > linesMax ? [{ line: lines, found: `${lines} lines` }] : [];
    },
    because: 'what rots is the tail: one god file that everybody has to change',
    breach: { path: 'packages/core/src/a.ts', text: 'x;\n'.repeat(linesMax + 1) },
  },
  {
    name: 'no hole in the types',
    files: sources,
    find: ({ path, text }) => {
      // In a test, `@ts-expect-error` asserts that the checker refuses the next line.
      const silencer = matches(tests, path)
        ? /^\W+@ts-(ignore|nocheck)/
        : /^\W+@ts-(ignore|nocheck|expect-error)/;
      const silenced = scanTokens(text).filter(
        (token) => token.kind === 'comment' && silencer.test(token.text),
      );
      const untyped = sequences(text, [
        [':', 'any'],
        ['as', 'any'],
        ['<', 'any'],
        ['|', 'any'],
      ]);
      return [...silenced, ...untyped].map(finding);
    },
    because: 'an unchecked place is where the next fault hides',
    breach: { path: 'packages/core/src/a.ts', text: 'const a = b as any;' },
  },
  {
    name: 'no sleep in a test',
    files: tests,
    find: ({ text }) => [
      ...sequences(text, [
        ['setTimeout', '('],
        ['setInterval', '('],
      ]).map(finding),
      ...readImports(text)
        .filter(({ specifier }) => specifier?.endsWith('timers/promises'))
        .map(({ line }) => ({ line, found: 'timers/promises' })),
    ],
    because: 'a test that waits for time is slow when it passes and wrong when the machine is busy',
    breach: {
      path: 'packages/core/src/a.test.ts',
      text: 'await new Promise((done) => setTimeout(done, 5));',
    },
  },
  {
    name: 'no test left out or alone',
    files: tests,
    find: ({ text }) =>
      sequences(
        text,
        ['it', 'test', 'describe'].flatMap((name) => ['only', 'skip', 'todo'].map((how) => [name, '.', how])),
      ).map(finding),
    because: 'a green run has to mean that everything ran',
    breach: { path: 'packages/core/src/a.test.ts', text: "it.only('a', () => {});" },
  },
  {
    name: 'time, chance, timers and variables come in through ports',
    files: ['packages/*/src/**/*.ts', 'packages/*/src/**/*.tsx'],
    free: [...runtimePorts, ...tests],
    find: ({ text }) =>
      sequences(text, [
        ['Date', '.', 'now'],
        ['new', 'Date', '(', ')'],
        ['performance', '.', 'now'],
        ['hrtime'],
        ['Math', '.', 'random'],
        ['randomBytes'],
        ['randomUUID'],
        ['randomInt'],
        ['getRandomValues'],
        ['setTimeout'],
        ['setInterval'],
        ['process', '.', 'env'],
      ]).map(finding),
    because: 'a room that takes them from outside can be replayed, tested without waiting and proved',
    breach: { path: 'packages/core/src/lifecycle/a.ts', text: 'const nowMs = Date.now();' },
  },
  {
    name: 'no default export',
    files: sources,
    free: ['vitest.config.ts'],
    find: ({ text }) => sequences(text, [['export', 'default']]).map(finding),
    because: 'a thing has one name wherever it is used',
    breach: { path: 'packages/core/src/a.ts', text: 'export default 1;' },
  },
  {
    name: 'no enum',
    files: sources,
    find: ({ text }) =>
      sequences(text, [['enum']])
        .filter((token) => declaresEnum(text, token))
        .map(finding),
    because: 'sources run by stripping their types, and an enum is not only a type',
    breach: { path: 'packages/core/src/a.ts', text: 'export enum State { active }' },
  },
  {
    name: 'no print but to a person',
    files: ['packages/*/src/**/*.ts', 'packages/*/src/**/*.tsx'],
    free: ['packages/cli/**', 'packages/harness/**'],
    find: ({ text }) => sequences(text, [['console', '.']]).map(finding),
    because: 'what a server says goes through its logger, which redacts',
    breach: { path: 'packages/server/src/http/a.ts', text: 'console.log(request);' },
  },
  {
    name: 'no work left as a note',
    files: sources,
    free: ['tools/tidy/**'],
    find: ({ text }) =>
      scanTokens(text)
        .filter((token) => token.kind === 'comment' && /\b(TODO|FIXME|XXX|HACK)\b/.test(token.text))
        .map(finding),
    because: 'a note in the code is an issue that nobody can find',
    breach: { path: 'packages/core/src/a.ts', text: '// TODO: later' },
  },
  {
    name: 'file names are kebab-case and say what is inside',
    files: [...sources, '**/*.sql'],
    find: ({ path }) => {
      const base = path.slice(path.lastIndexOf('/') + 1);
      const kebab =
        /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|int\.test|model\.test|config|conformance|arbitrary|d))?\.(ts|tsx|mjs|sql)$/;
      const vague = /^(utils?|types?|helpers?|common|misc)\.ts$/;
      const ok = (kebab.test(base) || /^\d{4}_[a-z0-9_-]+\.sql$/.test(base)) && !vague.test(base);
      return ok ? [] : [{ line: 1, found: base }];
    },
    because: 'a drawer named utils takes in everything and gives nothing back',
    breach: { path: 'packages/core/src/utils.ts', text: '' },
  },
];

function finding(token: Token): Finding {
  return { line: token.line, found: token.text.slice(0, 80) };
}

function declaresEnum(text: string, token: Token): boolean {
  const line = text.split('\n')[token.line - 1] ?? '';
  return /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s+[A-Z]/.test(line);
}

/** Sockets and servers have methods of these names, which are no timers of ours. */
const namesOfMethods = new Set(['setTimeout', 'setInterval']);

/** The first token of every place in the code where one of `wanted` stands, token by token. */
function sequences(text: string, wanted: readonly (readonly string[])[]): Token[] {
  const tokens = codeTokens(scanTokens(text));
  return tokens.filter((_, index) => {
    const isMember = tokens[index - 1]?.text === '.' && tokens[index - 2]?.text !== 'globalThis';
    if (isMember && namesOfMethods.has(tokens[index]?.text ?? '')) return false;
    return wanted.some((words) =>
      words.every((word, offset) => {
        const token = tokens[index + offset];
        return token !== undefined && token.text === word && (token.kind === 'word' || token.kind === 'mark');
      }),
    );
  });
}

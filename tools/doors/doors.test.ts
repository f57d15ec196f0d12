import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findViolations } from './find-violations.ts';
import { readImports } from './read-imports.ts';
import { doors } from './rules.ts';

describe('every row of the table catches the breach planted for it', () => {
  it.each(doors.map((door) => [door.name, door] as const))('%s', (name, door) => {
    const found = findViolations(door.breach.path, `\n${door.breach.source}\n`);
    expect(found.map(({ rule, line }) => ({ rule, line }))).toContainEqual({ rule: name, line: 2 });
  });
});

it('a package is not entered through its wall, and an import is written out', () => {
  const source = "import { Fault } from '../../core/src/errors/fault.ts';\nawait import(name);";
  expect(findViolations('packages/harness/bench/a.ts', source)).toMatchObject([
    { rule: 'packages-by-name', line: 1, target: 'packages/core/src/errors/fault.ts' },
    { rule: 'imports-are-written-out', line: 2 },
  ]);
});

describe('what the doors leave open', () => {
  it.each([
    ['packages/core/src/lifecycle/a.ts', "import { Fault } from '../errors/fault.ts';"],
    ['packages/core/src/lifecycle/a.test.ts', "import { it } from 'vitest'; import 'node:fs';"],
    ['packages/server/src/keys/a.ts', "import type { Reader } from '../storage/reader-port.ts';"],
    ['packages/server/src/keys/a.ts', "import type { Random } from '../runtime/random.ts';"],
    ['packages/sdk/src/a.ts', "import type { KeyReply } from '@keyswarm/contract';"],
    ['packages/server/src/main.ts', "import { openStore } from './storage/open-store.ts';"],
    ['packages/server/src/storage/postgres/a.ts', "import pg from 'pg';"],
    ['packages/cli/src/a.ts', "import { startServer } from '@keyswarm/server/start';"],
  ])('%s: %s', (path, source) => {
    expect(findViolations(path, source)).toEqual([]);
  });
});

it.each([
  ['packages/server/src/keys/a.ts', "import { systemRandom } from '../runtime/random.ts';"],
  ['packages/sdk/src/a.ts', "import { type KeyReply, keyReply } from '@keyswarm/contract';"],
  ['packages/sdk/src/a.ts', "import type, { keyReply } from '@keyswarm/contract';"],
])('where only types may pass, a value may not: %s: %s', (path, source) => {
  expect(findViolations(path, source)).toHaveLength(1);
});

describe('reading imports', () => {
  it('finds every form of import, with its line', () => {
    const source = [
      "import a from 'a';",
      "import {\n  b,\n  type B,\n} from 'b';",
      "export * from 'c';",
      "import 'd';",
      "const e = await import('e');",
      "type F = import('f').F;",
      "const g = require('g');",
      "export * as h from 'h';",
      'const i = await import(name);',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text under test is source code.
      "const j = await import(`${dir}/j`); const k = import('k' + rest);",
    ].join('\n');
    expect(readImports(source)).toEqual([
      { specifier: 'a', line: 1, isTypeOnly: false },
      { specifier: 'b', line: 5, isTypeOnly: false },
      { specifier: 'c', line: 6, isTypeOnly: false },
      { specifier: 'd', line: 7, isTypeOnly: false },
      { specifier: 'e', line: 8, isTypeOnly: false },
      { specifier: 'f', line: 9, isTypeOnly: false },
      { specifier: 'g', line: 10, isTypeOnly: false },
      { specifier: 'h', line: 11, isTypeOnly: false },
      { specifier: undefined, line: 12, isTypeOnly: false },
      { specifier: undefined, line: 13, isTypeOnly: false },
      { specifier: undefined, line: 13, isTypeOnly: false },
    ]);
  });

  it('takes a method called import for what it is', () => {
    const source = 'interface A { import(keys: readonly string[]): void }\nconst a = { import(keys) {} };';
    expect(readImports(source)).toEqual([]);
  });

  it('is not misled by comments, strings, templates and regular expressions', () => {
    const source = [
      "// import 'a';",
      "/* export * from 'b'; */",
      'const text = "import \'c\';";',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text under test is source code.
      "const html = `import 'd'; ${name + `import 'e'`} from 'f'`;",
      'const pattern = /[\'"`]/g; const ratio = total / count / 2;',
      "const from = 'g'; Array.from('h'); store.import('i'); import.meta.url;",
      "import 'real';",
    ].join('\n');
    expect(readImports(source)).toEqual([{ specifier: 'real', line: 7, isTypeOnly: false }]);
  });
});

it('the command names file, line and rule of a breach, and exits with 1', () => {
  const root = mkdtempSync(join(tmpdir(), 'doors-'));
  try {
    execFileSync('git', ['init', '--quiet'], { cwd: root });
    const path = join(root, 'packages/core/src/bad.ts');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "export const a = 1;\nimport 'node:fs';\n");
    const run = spawnSync(process.execPath, [join(import.meta.dirname, 'check-doors.ts'), root], {
      encoding: 'utf8',
    });
    expect(run.stdout).toContain('packages/core/src/bad.ts:2: core-imports-nobody: may not import node:fs');
    expect(run.status).toBe(1);
  } finally {
    rmSync(root, { recursive: true });
  }
});

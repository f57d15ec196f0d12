import { posix } from 'node:path';
import { readImports } from './read-imports.ts';
import { type Door, doors, testFiles, testsMayAlso } from './rules.ts';

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly target: string;
  readonly rule: string;
  readonly because: string;
}

/** `path` is relative to the root of the house, with forward slashes. */
export function findViolations(path: string, source: string): readonly Violation[] {
  const bound = doors.filter((door) => matches(door.rooms, path) && !matches(door.free ?? [], path));
  const isTest = matches(testFiles, path);
  return readImports(source).flatMap(({ specifier, line, isTypeOnly }) => {
    if (specifier === undefined) return isTest ? [] : [computed(path, line)];
    const target = targetOf(path, specifier);
    if (leavesPackage(path, target)) return [throughTheWall(path, line, target)];
    return bound
      .filter((door) => isShut(door, { target, isTest, isTypeOnly }))
      .map((door) => ({ path, line, target, rule: door.name, because: door.because }));
  });
}

function computed(path: string, line: number): Violation {
  const because = 'a computed import leads where no check can follow';
  return { path, line, target: '(computed)', rule: 'imports-are-written-out', because };
}

function throughTheWall(path: string, line: number, target: string): Violation {
  const because = 'a package is reached by its name and its exports';
  return { path, line, target, rule: 'packages-by-name', because };
}

/** A relative import that ends in another package. */
function leavesPackage(path: string, target: string): boolean {
  const packageOf = (text: string) => /^packages\/[^/]+/.exec(text)?.[0];
  const isFile = !/^(npm|node|house):/.test(target);
  return isFile && packageOf(path) !== undefined && packageOf(path) !== packageOf(target);
}

interface Passage {
  readonly target: string;
  readonly isTest: boolean;
  readonly isTypeOnly: boolean;
}

function isShut(door: Door, { target, isTest, isTypeOnly }: Passage): boolean {
  if (isTypeOnly && matches(door.typesFrom ?? [], target)) return false;
  if (isTest && matches(testsMayAlso, target)) return false;
  if (door.only !== undefined && !matches(door.only, target)) return true;
  return matches(door.never ?? [], target) && !matches(door.except ?? [], target);
}

/** Where an import leads, in the words of the table. */
export function targetOf(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier);
  if (specifier.startsWith('node:')) return specifier;
  if (specifier.startsWith('@keyswarm/')) return specifier.replace('@keyswarm/', 'house:');
  return `npm:${specifier}`;
}

const compiled = new Map<string, RegExp>();

export function matches(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => {
    const known = compiled.get(pattern);
    const regex = known ?? globToRegex(pattern);
    if (known === undefined) compiled.set(pattern, regex);
    return regex.test(text);
  });
}

function globToRegex(pattern: string): RegExp {
  const body = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\*\*\/|\*\*|\*/g, (stars) =>
      stars === '**/' ? '(?:.*/)?' : stars === '**' ? '.*' : '[^/]*',
    );
  return new RegExp(`^${body}$`);
}

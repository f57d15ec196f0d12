import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/*
 * `npm ci` refuses a lock file that leaves out an optional package of another platform, and `npm install` leaves
 * out those that its registry does not carry. So a lock that works for whoever wrote it can fail for everyone.
 */

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const text = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
const { packages }: { packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(text);

it('holds every package that another one names, optional ones of other platforms too', () => {
  const held = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
  const missing = Object.entries(packages).flatMap(([path, each]) =>
    Object.keys({ ...each.dependencies, ...each.optionalDependencies })
      .filter((name) => !held.has(name))
      .map((name) => `${path} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

it('pins the bytes of every package, but for optional ones of platforms that it could not be written on', () => {
  const unpinned = Object.entries(packages)
    .filter(
      ([path, each]) => path.includes('node_modules/') && each.link !== true && each.integrity === undefined,
    )
    .filter(([, each]) => !(each.optional === true && each.os !== undefined))
    .map(([path]) => path);
  expect(unpinned).toEqual([]);
});

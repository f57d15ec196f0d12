import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesOf, findPlantedBug, plantIn } from './planted-bugs.ts';

/*
 * Loaded before a program (`node --import <this file> …`) and nowhere else: rewrites what the bug named by
 * PLANTED_BUG is in, as it is loaded. Without the variable it does nothing. Worker threads inherit
 * both, so that a server with workers has the bug in all of them.
 */
const name = process.env.PLANTED_BUG;
if (name !== undefined && name !== '') {
  const bug = findPlantedBug(name);
  const root = join(import.meta.dirname, '../../..');
  const planted = new Map(filesOf(bug).map((part) => [pathToFileURL(join(root, part.file)).href, part]));
  registerHooks({
    load(loaded, context, nextLoad) {
      const part = planted.get(loaded);
      if (part === undefined) return nextLoad(loaded, context);
      const source = plantIn(readFileSync(new URL(loaded), 'utf8'), bug.name, part);
      return { format: 'module-typescript', source, shortCircuit: true };
    },
  });
}

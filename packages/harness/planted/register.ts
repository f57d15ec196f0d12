import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findPlantedBug, plantIn } from './planted-bugs.ts';

/*
 * Loaded before a program (`node --import <this file> …`) and nowhere else: rewrites the one source file that the bug
 * named by PLANTED_BUG is in, as it is loaded. Without the variable it does nothing. Worker threads inherit
 * both, so that a server with workers has the bug in all of them.
 */
const name = process.env.PLANTED_BUG;
if (name !== undefined && name !== '') {
  const bug = findPlantedBug(name);
  const url = pathToFileURL(join(import.meta.dirname, '../../..', bug.file)).href;
  registerHooks({
    load(loaded, context, nextLoad) {
      if (loaded !== url) return nextLoad(loaded, context);
      const source = plantIn(readFileSync(new URL(url), 'utf8'), bug);
      return { format: 'module-typescript', source, shortCircuit: true };
    },
  });
}

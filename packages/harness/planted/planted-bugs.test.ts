import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOf, findPlantedBug, plantedBugs, plantIn } from './planted-bugs.ts';

const root = join(import.meta.dirname, '../../..');
const sourceOf = (file: string) => readFileSync(join(root, file), 'utf8');

describe('planted bugs', () => {
  it.each(plantedBugs.map((bug) => bug.name))(
    '%s fits the source of today once, and is a program still',
    (name) => {
      const bug = findPlantedBug(name);
      for (const part of filesOf(bug)) {
        const before = sourceOf(part.file);
        const after = plantIn(before, name, part);
        expect(after).not.toBe(before);
        expect(() => stripTypeScriptTypes(after)).not.toThrow();
      }
    },
  );

  it('says so where the source has moved on', () => {
    const bug = { ...findPlantedBug('accept-when-stale'), edits: [{ find: 'nowhere', replace: '' }] };
    expect(() => plantIn('here', bug.name, bug)).toThrow('0 times');
    expect(() => findPlantedBug('none')).toThrow('accept-when-stale');
  });

  it('nothing that is shipped knows of them', () => {
    const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
    const shipped = tracked.filter((path) => /^packages\/[^/]+\/(src|bin)\//.test(path));
    expect(shipped.length).toBeGreaterThan(300);
    const knowing = shipped.filter((path) => /PLANTED_BUG|harness\/planted/.test(sourceOf(path)));
    expect(knowing).toEqual([]);
  });
});

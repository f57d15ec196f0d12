import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Leftovers } from './leftovers.ts';
import { isAlive, treeOf } from './process-tree.ts';

/** A process that makes what would be left behind, says what it is, and waits. */
const starter = `
  const { spawn } = await import('node:child_process');
  const { Leftovers } = await import(${JSON.stringify(new URL('./leftovers.ts', import.meta.url).href)});
  const leftovers = new Leftovers();
  const folder = leftovers.folder('keyswarm-leftovers-');
  const start = (command) => spawn('sh', ['-c', command], { detached: true, stdio: 'ignore' });
  const parent = start('sleep 600 & sleep 600 & wait');
  leftovers.add('group', parent.pid);
  const ended = start('exec sleep 600');
  leftovers.add('group', ended.pid);
  leftovers.gone('group', ended.pid);
  process.stdout.write(JSON.stringify({ folder, parent: parent.pid, ended: ended.pid }));
  setInterval(() => {}, 1000);
`;

describe('what a killed process would leave behind', () => {
  it('is ended and removed, with the children of its children, and nothing that was taken off the list', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', starter], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    const made = JSON.parse(String(line)) as { folder: string; parent: number; ended: number };
    await expect.poll(() => treeOf(made.parent)).toHaveLength(3);
    const group = treeOf(made.parent);
    expect([existsSync(made.folder), isAlive(made.ended)]).toEqual([true, true]);
    child.kill('SIGKILL');
    await expect.poll(() => group.filter(isAlive), { timeout: 15_000 }).toEqual([]);
    await expect.poll(() => existsSync(made.folder)).toBe(false);
    expect(isAlive(made.ended)).toBe(true);
    process.kill(made.ended, 'SIGKILL');
  });

  it('is left alone once all was ended in good order', async () => {
    const leftovers = new Leftovers();
    const folder = leftovers.folder('keyswarm-leftovers-');
    leftovers.done();
    expect(existsSync(folder)).toBe(true);
    leftovers.removeFolder(folder);
    expect(existsSync(folder)).toBe(false);
  });
});

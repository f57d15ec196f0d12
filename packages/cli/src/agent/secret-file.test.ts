import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@keyswarm/core';
import { afterAll, describe, expect, it } from 'vitest';
import { parseSignal, signalByPidFile } from './after-change.ts';
import { keepInFile, writeSecretFile } from './secret-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-secret-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a secret in a file', () => {
  it('is replaced as a whole, readable by its owner only, and leaves nothing beside it', () => {
    const path = join(folder, 'a.key');
    writeFileSync(path, 'old and longer\n', { mode: 0o644 });
    const before = statSync(path).ino;
    writeSecretFile(path, 'new\n');
    expect(readFileSync(path, 'utf8')).toBe('new\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).ino, 'another file, by one rename').not.toBe(before);
    expect(readdirSync(folder)).toEqual(['a.key']);
  });

  it('stays behind a link that leads to it', () => {
    const link = join(folder, 'link.key');
    symlinkSync(join(folder, 'a.key'), link);
    writeSecretFile(link, 'through the link\n');
    expect(readFileSync(join(folder, 'a.key'), 'utf8')).toBe('through the link\n');
  });

  it('is as it was when it can not be written, and nothing is left over', () => {
    const path = join(folder, 'missing', 'b.key');
    expect(() => writeSecretFile(path, 'x')).toThrow('ENOENT');
  });

  it('has the journal of a renewal beside it, which goes when the renewal is over', async () => {
    const path = join(folder, 'c.key');
    const { load, store, journal } = keepInFile(path);
    await store(new Secret('orders_1'));
    expect(await load()).toBe('orders_1');
    expect(await journal?.load()).toBeUndefined();
    await journal?.store('retry-1');
    expect(await keepInFile(path).journal?.load()).toBe('retry-1');
    expect(statSync(`${path}.renewing`).mode & 0o777).toBe(0o600);
    await journal?.store(undefined);
    await journal?.store(undefined);
    expect(await journal?.load()).toBeUndefined();
  });
});

describe('a signal after a change', () => {
  it('goes to one process and never to a group of them', () => {
    const path = join(folder, 'pid');
    for (const text of ['0', '-1', '1', '', 'x', '12 13']) {
      writeFileSync(path, text);
      expect(() => signalByPidFile(path, 'SIGHUP'), text).toThrow('holds no process id');
    }
  });

  it('is one that can be handled', () => {
    expect([parseSignal('hup', '--signal'), parseSignal('SIGUSR1', '--signal')]).toEqual([
      'SIGHUP',
      'SIGUSR1',
    ]);
    for (const text of ['KILL', 'STOP', 'NOPE', '']) expect(() => parseSignal(text, '--signal')).toThrow();
  });
});

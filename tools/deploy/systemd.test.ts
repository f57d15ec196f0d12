import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const units = join(root, 'deploy/systemd');
const names = readdirSync(units).filter((name) => name.endsWith('.service'));
const textOf = (name: string) => readFileSync(join(units, name), 'utf8');
const settingsOf = (name: string) =>
  textOf(name)
    .split('\n')
    .filter((line) => /^[A-Z]\w+=/.test(line));

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-units-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(names)('the unit %s', (name) => {
  it('starts node itself, so that SIGTERM reaches it, by files that are there', () => {
    const [start] = settingsOf(name).filter((line) => line.startsWith('ExecStart='));
    const [node = '', entry = '', ...args] = (start ?? '').slice('ExecStart='.length).split(' ');
    expect(node).toBe('/opt/keyswarm/node_modules/.bin/node');
    expect(statSync(join(root, entry)).isFile()).toBe(true);
    expect(args).toHaveLength(1);
  });

  it('is given no more than it needs', () => {
    const settings = settingsOf(name);
    for (const one of [
      'NoNewPrivileges=yes',
      'DynamicUser=yes',
      'ProtectSystem=strict',
      'ProtectHome=yes',
      'CapabilityBoundingSet=',
      'PrivateDevices=yes',
      'RestrictNamespaces=yes',
      'SystemCallFilter=@system-service',
      'UMask=0077',
    ]) {
      expect(settings, one).toContain(one);
    }
    expect(textOf(name)).not.toMatch(/keyswarm_[0-9A-Za-z]{20}/);
  });

  it('is one that systemd takes as it stands, where there is a systemd to ask', async () => {
    // It looks for the program, which is here and not yet in /opt.
    const copy = join(folder, name);
    writeFileSync(copy, textOf(name).replaceAll('/opt/keyswarm', root));
    const complaint = await complaintOf(copy);
    expect(complaint).toBe('');
    const broken = join(folder, `broken-${name}`);
    writeFileSync(broken, `${textOf(name)}\n[Service]\nExecStart=relative/path\n`);
    const told = await complaintOf(broken);
    expect(told === '' ? 'nobody to ask' : told).toMatch(/relative\/path|nobody to ask/);
  });
});

/** What `systemd-analyze verify` says; nothing where the machine has none. */
function complaintOf(path: string): Promise<string> {
  return new Promise((resolve) => {
    execFile('systemd-analyze', ['verify', '--man=no', path], (error, stdout, stderr) => {
      const isMissing = error !== null && error.code === 'ENOENT';
      resolve(isMissing ? '' : `${stdout}${stderr}`.trim() || (error?.message ?? ''));
    });
  });
}

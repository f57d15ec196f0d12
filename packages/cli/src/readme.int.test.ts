import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CommandServer, launcher, spawnCommand, startServerCommand } from './testing/spawn-command.ts';

/* The walk in the README and the one after it, run by a shell as it stands there: what a newcomer pastes has to work. */

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const [walk = '', tokens = ''] = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block ?? '');
const field = /^field\(\) .*$/m.exec(walk)?.[0] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'keyswarm-readme-'));
let server: CommandServer;
let key: string;
beforeAll(async () => {
  // A library that a block imports is looked for from where the block stands.
  symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  key = (await spawnCommand(['mint-bootstrap-key', '--quiet']).ended).stdout.trim();
  const variables = { KEYSWARM_BOOTSTRAP_KEY: key };
  server = await startServerCommand(join(folder, 'data'), { variables, port: await freePort() });
}, 60_000);
afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  rmSync(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

/** By a shell, as somebody pastes it. */
async function paste(block: string): Promise<string> {
  // `npx` looks for the command from the folder it stands in; the walk leaves its file in one of its own.
  const script = `set -euo pipefail\nnpx() { shift; ${JSON.stringify(process.execPath)} ${launcher} "$@"; }\n${block}`;
  const shell = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { PATH: process.env.PATH, KEYSWARM_KEY: key, KEYSWARM_URL: server.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(shell.stdout), text(shell.stderr), once(shell, 'close')]);
  expect(shell.exitCode, stderr).toBe(0);
  return stdout;
}

it('does what it says, from the first line to the last', async () => {
  const stdout = await paste(walk);
  expect(stdout).toContain('"valid":true');
  expect(stdout.match(/^verdict {2,}valid$/gm)).toHaveLength(2);
  expect(stdout).toMatch(/^verdict {2,}revoked\nrefused, with exit code 1$/m);
  expect(stdout).toMatch(/^valid +10,000$/m);
  expect(stdout).toMatch(/^suspended +10,000\nrefused, with exit code 1$/m);
  expect(stdout).toMatch(/owner\.suspended/);
  expect(stdout).toContain('agrees with the server');
});

it('makes tokens that another library verifies, and narrower ones that end with their key', async () => {
  const stdout = await paste(`${field}\n${tokens}`);
  expect(stdout).toContain(`verified by jose: orders:* ${server.url}/status-lists/ks_`);
  expect(stdout).toMatch(/^verdict {2,}valid$/m);
  expect(stdout).toMatch(/^verdict {2,}insufficient_scope\nnot for that: exit code 1$/m);
  expect(stdout).toMatch(/^active {2}false\nended: exit code 1$/m);
});

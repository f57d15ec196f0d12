import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import { launcher, spawnCommand, startServerCommand } from './testing/spawn-command.ts';

/* The walk in the README, run by a shell as it stands there: what a newcomer pastes has to work. */

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const walk = /^```sh\n(.*?)^```/ms.exec(readme)?.[1] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'keyswarm-readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('does what it says, from the first line to the last', async () => {
  const key = (await spawnCommand(['mint-bootstrap-key', '--quiet']).ended).stdout.trim();
  const server = await startServerCommand(join(folder, 'data'), {
    variables: { KEYSWARM_BOOTSTRAP_KEY: key },
  });
  // `npx` looks for the command from the folder it stands in; the walk leaves its file in one of its own.
  const script = `set -euo pipefail\nnpx() { shift; ${JSON.stringify(process.execPath)} ${launcher} "$@"; }\n${walk}`;
  const shell = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { PATH: process.env.PATH, KEYSWARM_KEY: key, KEYSWARM_URL: server.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(shell.stdout), text(shell.stderr), once(shell, 'close')]);
  server.child.kill('SIGTERM');
  await server.ended;

  expect(shell.exitCode, stderr).toBe(0);
  expect(stdout).toContain('"valid":true');
  expect(stdout.match(/^verdict {2,}valid$/gm)).toHaveLength(2);
  expect(stdout).toMatch(/^verdict {2,}revoked\nrefused, with exit code 1$/m);
  expect(stdout).toMatch(/^valid +10,000$/m);
  expect(stdout).toMatch(/^suspended +10,000\nrefused, with exit code 1$/m);
  expect(stdout).toMatch(/owner\.suspended/);
  expect(stdout).toContain('agrees with the server');
});

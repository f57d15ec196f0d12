import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnCommand } from '../testing/spawn-command.ts';

/*
 * The agent in a process of its own, against a server that asks for one renewal at once: what it does to the file, to
 * those who use it, and when it is told to end.
 */

const first = 'orders_first';
const second = 'orders_second';
const folder = mkdtempSync(join(tmpdir(), 'keyswarm-agent-'));
/** Is the first key to be renewed? */
let isAsked = true;
/** A key that was revoked. */
let revoked: string | undefined;
const renewals: (string | undefined)[] = [];
const server = createServer((request, response) => {
  const secret = request.headers.authorization?.replace('Bearer ', '');
  const isNew = secret === second;
  const past = new Date(0).toISOString();
  const opens = isNew || !isAsked ? null : past;
  const window = { renew_after: opens, renew_by: opens };
  const told = { id: 'key_1', version: isNew ? 2 : 1, state: 'active', expires_at: null, ...window };
  response.setHeader('content-type', 'application/json');
  request.resume();
  if (secret === revoked || (!isNew && secret !== first)) {
    response.statusCode = 401;
    return response.end(JSON.stringify({ code: 'unauthenticated', status: 401, detail: 'no' }));
  }
  if (request.url === '/v1/keys/self') return response.end(JSON.stringify(told));
  renewals.push(String(request.headers['idempotency-key']));
  const previous = { version: 1, retires_at: new Date(Date.now() + 600_000).toISOString() };
  const renewed = { ...told, version: 2, secret: second, previous, renew_after: null, renew_by: null };
  return response.end(JSON.stringify(renewed));
});

let url: string;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

function fileWith(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

const agent = (file: string, args: readonly string[]) =>
  spawnCommand(['agent', '--url', url, '--file', file, ...args]);
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

describe('keyswarm agent', () => {
  it('replaces the file, tells a command by the shell, and ends when it is told to; the secret is printed nowhere', async () => {
    const file = fileWith('a.key', first);
    const running = agent(file, ['--exec', `sha256sum < ${file}`]);
    const [line] = await running.lines(1);
    expect(line).toContain(hashOf(`${second}\n`));
    running.child.kill('SIGTERM');
    const { stdout, stderr, code } = await running.ended;
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(`${second}\n`);
    expect(stdout + stderr).not.toMatch(/orders_(first|second)/);
  });

  it('starts a command again with the new secret, passes SIGTERM on to it, and ends as it ends', async () => {
    const file = fileWith('b.key', first);
    const script = `
      const { createHash } = require('node:crypto');
      process.on('SIGTERM', () => process.exit(process.env.ORDERS_KEY === '${second}' ? 7 : 0));
      console.log(createHash('sha256').update(process.env.ORDERS_KEY).digest('hex'));
      setInterval(() => {}, 1000);`;
    const terms = ['--poll', '1s', '--run', '--env', 'ORDERS_KEY', '--', process.execPath, '-e', script];
    isAsked = false;
    const running = agent(file, terms);
    expect(await running.lines(1)).toEqual([hashOf(first)]);
    isAsked = true;
    expect(await running.lines(2)).toEqual([hashOf(first), hashOf(second)]);
    running.child.kill('SIGTERM');
    expect((await running.ended).code).toBe(7);
  });

  it('goes on when its key is revoked, says so with the key and the code, and takes another one from the file', async () => {
    const file = fileWith('e.key', second);
    const script = `console.log('began'); setInterval(() => {}, 1000);`;
    isAsked = false;
    const running = agent(file, ['--poll', '1s', '--run', '--', process.execPath, '-e', script]);
    await running.lines(1);
    revoked = second;
    for (let said = ''; !said.includes('refused'); ) said += (await once(running.child.stderr, 'data'))[0];
    writeFileSync(file, `${first}\n`);
    await running.lines(2);
    isAsked = true;
    revoked = undefined;
    running.child.kill('SIGTERM');
    const { stderr, code } = await running.ended;
    expect(code).toBe(143);
    expect(stderr).toMatch(/^\d{4}-\S+Z refused: the server does not accept key_1 of .*\(unauthenticated\)/m);
    expect(stderr).toMatch(/^\d{4}-\S+Z the key of .*e\.key was reloaded$/m);
  });

  it('goes on with a renewal that was cut off, by the key that it had kept', async () => {
    const file = fileWith('c.key', first);
    writeFileSync(`${file}.renewing`, 'kept-before\n', { mode: 0o600 });
    const running = agent(file, ['--exec', 'echo changed']);
    await running.lines(1);
    running.child.kill('SIGTERM');
    await running.ended;
    expect(renewals).toContain('kept-before');
    expect(readFileSync(file, 'utf8')).toBe(`${second}\n`);
  });

  it.each([
    ['a key that is nobody’s', 'orders_other', [], 4, 'unauthenticated'],
    ['an empty file', '', [], 2, 'empty'],
    ['--run without a command', first, ['--run'], 2, 'no command'],
    ['a signal for nobody', first, ['--signal', 'HUP'], 2, 'go together'],
    ['a command that is not there', first, ['--run', '--', '/no/such/command'], 2, 'can not be started'],
  ])('says what is wrong with %s, and its exit code does', async (_, secret, args, code, text) => {
    const ended = await agent(fileWith('d.key', secret), args).ended;
    expect(ended.stderr).toContain(text);
    expect(ended.code).toBe(code);
    if (secret !== '') expect(ended.stderr + ended.stdout).not.toContain(secret);
  });
});

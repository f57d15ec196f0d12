import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCaptured } from './testing/run-captured.ts';

/* A server that accepts no key, and says so as a real one does. */

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-key-as-given-'));
const file = join(folder, 'a.key');
writeFileSync(file, 'garbage\n', { mode: 0o600 });
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(401, { 'content-type': 'application/problem+json' });
  const expected = 'Authorization: Bearer <key>';
  const problem = { code: 'unauthenticated', status: 401, detail: 'Send a valid key.' };
  response.end(JSON.stringify({ ...problem, field: 'Authorization', expected }));
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

const keyOf = (prefix: string) => mintKeyString(prefix, (bytes) => new Uint8Array(bytes));
const refused = async (args: readonly string[], key = 'none') => {
  const variables = { KEYSWARM_KEY: key, KEYSWARM_URL: url, HELD: 'garbage' };
  const { code, stderr } = await runCaptured(args, { variables, stdin: 'garbage\n' });
  expect(code).toBe(4);
  return stderr;
};

describe('a key that is not accepted is told by where it came from', () => {
  it.each([
    [['agent', '--file', file], `--file ${file}`],
    [['self', '-'], 'the key from standard input'],
    [['self', '--from-env', 'HELD'], '--from-env HELD'],
    [['self', '--from-file', file, '--revoke'], `--from-file ${file}`],
    [['enroll', '-'], 'the key from standard input'],
    [['key', 'list'], 'KEYSWARM_KEY'],
    [['key', 'verify', '-'], 'KEYSWARM_KEY'],
    [['key', 'list', '--key-file', file], `--key-file ${file}`],
  ])('%j', async (args, option) => {
    const stderr = await refused(args);
    expect(stderr).toContain(`  option    ${option}\n`);
    expect(stderr).toContain('neither revoked nor expired');
    expect(stderr).not.toContain('garbage');
  });

  it('and a key of another keyspace by how it begins', async () => {
    const key = keyOf('orders_live');
    const stderr = await refused(['key', 'list'], key);
    expect(stderr).toContain('a management key: it begins with keyswarm_');
    expect(stderr).toContain('with orders_live_\n');
    expect(stderr).not.toContain(key);
    expect(await refused(['key', 'list'], keyOf('keyswarm'))).not.toContain('begins with');
  });
});

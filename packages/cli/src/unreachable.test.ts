import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCaptured } from './testing/run-captured.ts';

const server = createServer((_request, response) => response.end('no TLS here'));
let port: number;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

const change = ['keyspace', 'create', 'x', '--prefix', 'x'];
const said = async (args: readonly string[], url: string) =>
  (await runCaptured(args, { variables: { KEYSWARM_KEY: 'none', KEYSWARM_URL: url } })).stderr;

describe('a server that can not be reached', () => {
  it('by TLS is told without the words of OpenSSL, and with the address to try', async () => {
    const stderr = await said(change, `https://127.0.0.1:${port}`);
    expect(stderr).toContain(
      `https://127.0.0.1:${port} can not be reached: the server there does not answer by TLS`,
    );
    expect(stderr).toContain(`try http://127.0.0.1:${port}`);
    expect(stderr).not.toMatch(/openssl|SSL routines/i);
  });

  it('at all is told with the address that was asked, and how to start or name one', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const url = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    gone.close();
    await once(gone, 'close');
    const stderr = await said(change, url);
    expect(stderr).toContain(`error unreachable: ${url} can not be reached: connect ECONNREFUSED`);
    expect(stderr).toContain('start one with `keyswarm start`');
  });
});

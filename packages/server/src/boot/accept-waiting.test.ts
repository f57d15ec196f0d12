import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { acceptWaiting } from './accept-waiting.ts';

test('a listener that is closed after the last look has taken every connection that waited', async () => {
  const clients = 100;
  const server = createServer((_, response) => response.end('ok'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: false });
  const answers = Array.from(
    { length: clients },
    () =>
      new Promise<number>((resolve, reject) => {
        get({ host: '127.0.0.1', port, agent }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        }).on('error', reject);
      }),
  );
  await acceptWaiting(server);
  server.close();
  expect(await Promise.all(answers)).toEqual(Array.from({ length: clients }, () => 200));
});

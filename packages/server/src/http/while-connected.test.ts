import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { whileConnected } from './while-connected.ts';

describe('work that a client waits for', () => {
  let server: Server;
  beforeEach(async () => {
    server = createServer();
    server.setTimeout(60_000);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const ask = () => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => {});
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    return client;
  };

  test('is told when the client goes away', async () => {
    const told = new Promise<string>((resolve) => {
      server.on('request', (request) => {
        void whileConnected(request.socket, async (gone) => {
          client.destroy();
          await once(gone, 'abort');
          resolve('told');
        });
      });
    });
    const client = ask();
    expect(await told).toBe('told');
  });

  test('is told when the server closes its connections', async () => {
    const told = new Promise<boolean>((resolve) => {
      server.on('request', (request) => {
        void whileConnected(request.socket, async (gone) => {
          server.closeAllConnections();
          if (!gone.aborted) await once(gone, 'abort');
          resolve(gone.aborted);
        });
      });
    });
    ask();
    expect(await told).toBe(true);
  });

  test('is told at once if the client is gone already', async () => {
    const told = new Promise<boolean>((resolve) => {
      server.on('request', (request) => {
        request.socket.once('close', () => {
          void whileConnected(request.socket, async (gone) => resolve(gone.aborted));
        });
        client.destroy();
      });
    });
    const client = ask();
    expect(await told).toBe(true);
  });

  test('leaves nothing behind on a connection that is used again, and a bound of silence', async () => {
    const counts = new Promise<readonly unknown[]>((resolve) => {
      server.on('request', (request, response) => {
        const { socket } = request;
        const before = socket.listenerCount('close');
        void whileConnected(socket, async () => socket.timeout).then((during) => {
          resolve([socket.listenerCount('close') - before, during, (socket.timeout ?? 0) > 0]);
          response.end();
        });
      });
    });
    ask();
    expect(await counts).toEqual([0, 0, true]);
  });
});

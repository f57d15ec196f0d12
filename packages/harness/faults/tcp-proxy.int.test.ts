import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

/** A server that says everything back, behind a wire. */
async function echoBehindWire() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const wire = await startTcpProxy({ port: address.port });
  opened.push(
    {
      close: () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    },
    wire,
  );
  return wire;
}

async function dial(wire: TcpProxy) {
  const socket = connect(wire.port, '127.0.0.1');
  const pieces: Buffer[] = [];
  socket.on('data', (piece) => pieces.push(piece));
  opened.push({ close: () => socket.destroy() });
  await once(socket, 'connect');
  return { socket, pieces, text: () => Buffer.concat(pieces).toString() };
}

async function heard(caller: Awaited<ReturnType<typeof dial>>, text: string): Promise<void> {
  while (caller.text() !== text) await once(caller.socket, 'data');
}

describe('a wire that can be broken', () => {
  it('passes what is sent, in pieces as small as it is told to', async () => {
    const wire = await echoBehindWire();
    wire.set({ sliceBytes: 1 });
    const caller = await dial(wire);
    caller.socket.write('hello');
    await heard(caller, 'hello');
  });

  it('holds what is sent with its sockets open, new ones too, and brings it when it is healed', async () => {
    const wire = await echoBehindWire();
    const before = await dial(wire);
    before.socket.write('a');
    await heard(before, 'a');
    wire.set({ hold: 'both' });
    before.socket.write('b');
    const during = await dial(wire);
    during.socket.write('c');
    expect([before.socket.destroyed, during.socket.destroyed]).toEqual([false, false]);
    expect([before.text(), during.text()]).toEqual(['a', '']);
    wire.heal();
    await Promise.all([heard(before, 'ab'), heard(during, 'c')]);
  });

  it('resets what stands and refuses what comes', async () => {
    const wire = await echoBehindWire();
    const caller = await dial(wire);
    caller.socket.write('a');
    await heard(caller, 'a');
    wire.set({ refuse: true });
    wire.reset();
    await expect(once(caller.socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
    const late = connect(wire.port, '127.0.0.1');
    await expect(once(late, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(wire.connections).toBe(0);
  });
});

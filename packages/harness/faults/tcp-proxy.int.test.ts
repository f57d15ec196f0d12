import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
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
  const wire = await startTcpProxy({ port: portOf(server) });
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

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function openSockets(): number {
  return readdirSync('/proc/self/fd', { withFileTypes: true }).filter((entry) => {
    try {
      return readlinkSync(join(entry.parentPath, entry.name)).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
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

  it('holds one way and carries the other, in a connection that stands', async () => {
    const sockets: Socket[] = [];
    const heardByServer: string[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => heardByServer.push(bytes.toString()));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const wire = await startTcpProxy({ port: portOf(server) });
    opened.push({ close: () => server.close() }, wire);
    const caller = await dial(wire);
    await expect.poll(() => sockets.length).toBe(1);
    wire.set({ hold: 'to_server' });
    caller.socket.write('up');
    sockets[0]?.write('down');
    await heard(caller, 'down');
    expect(heardByServer).toEqual([]);
    wire.set({ hold: 'to_client' });
    await expect.poll(() => heardByServer).toEqual(['up']);
    sockets[0]?.write('late');
    caller.socket.write('more');
    await expect.poll(() => heardByServer.join('')).toBe('upmore');
    expect(caller.text()).toBe('down');
    wire.heal();
    await heard(caller, 'downlate');
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

  it.skipIf(!existsSync('/proc/self/fd'))(
    'leaves no socket open of those that it resets while their end is brought',
    async () => {
      const wire = await echoBehindWire();
      const before = openSockets();
      // In the moment between an end and the word of it to the system a reset is refused: it is looked for, turn by turn.
      for (let turns = 0; turns < 12; turns += 1) {
        const caller = await dial(wire);
        caller.socket.on('error', () => {});
        caller.socket.write('a');
        await heard(caller, 'a');
        wire.set({ hold: 'both' });
        caller.socket.end();
        await expect.poll(() => caller.socket.writableFinished).toBe(true);
        await new Promise((resolve) => setImmediate(resolve));
        wire.heal();
        for (let turn = 0; turn < turns; turn += 1) await undefined;
        wire.reset();
        caller.socket.destroy();
      }
      await expect.poll(() => wire.connections).toBe(0);
      await expect.poll(openSockets).toBe(before);
    },
  );

  it('delays each piece by the same, and not the ones behind it a second time', async () => {
    const wire = await echoBehindWire();
    wire.set({ latencyMs: 60, jitterMs: 20, sliceBytes: 1 });
    const caller = await dial(wire);
    const began = performance.now();
    for (const letter of 'abcdefghijklmnopqrstuvwxyz') {
      caller.socket.write(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await heard(caller, 'abcdefghijklmnopqrstuvwxyz');
    // There and back: a lower bound, that no busy machine can break. One after another it would be 26 times that.
    expect(performance.now() - began).toBeGreaterThanOrEqual(119);
  });

  it('lets through no more than its bandwidth', async () => {
    const wire = await echoBehindWire();
    wire.set({ bandwidthBytesPerSecond: 1_000_000 });
    const caller = await dial(wire);
    const began = performance.now();
    caller.socket.write(Buffer.alloc(200_000));
    while (Buffer.concat(caller.pieces).length < 200_000) await once(caller.socket, 'data');
    expect(performance.now() - began).toBeGreaterThanOrEqual(150);
  });

  it('leaves a client with an open socket and nobody behind it, and carries the next one', async () => {
    const wire = await echoBehindWire();
    const caller = await dial(wire);
    caller.socket.write('a');
    await heard(caller, 'a');
    wire.orphan('client');
    caller.socket.write('b');
    const next = await dial(wire);
    next.socket.write('c');
    await heard(next, 'c');
    expect([caller.text(), caller.socket.destroyed, caller.socket.readableEnded]).toEqual([
      'a',
      false,
      false,
    ]);
    caller.socket.destroy();
    await expect.poll(() => wire.connections).toBe(1);
  });

  it('leads elsewhere once it is told to, and resets what stood', async () => {
    const [wire, other] = [await echoBehindWire(), await echoBehindWire()];
    const caller = await dial(wire);
    wire.retarget(other.port);
    await expect(once(caller.socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
    other.set({ hold: 'to_client' });
    const next = await dial(wire);
    next.socket.write('d');
    await expect.poll(() => other.connections).toBe(1);
    expect(next.text()).toBe('');
    other.heal();
    await heard(next, 'd');
  });
});

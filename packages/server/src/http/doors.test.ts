import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Doors } from './doors.ts';

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

describe.skipIf(process.platform !== 'linux')('the listening sockets of a port', () => {
  let app: FastifyInstance;
  let doors: Doors;
  let sockets: Socket[];
  beforeEach(() => {
    app = Fastify({ forceCloseConnections: false });
    app.get('/', () => 'here');
    sockets = [];
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all([doors.close(), app.close()]);
  });

  async function open(settings: { listenSockets: number; socketsMax: number }): Promise<number> {
    doors = new Doors(app.server, { host: '127.0.0.1', port: 0, ...settings });
    return Number(new URL(await doors.open(app, { isShared: false })).port);
  }

  /** What it is answered; empty: it was turned away. */
  async function ask(port: number): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let text = '';
    socket.on('data', (data) => {
      text += data;
      socket.emit('answered');
    });
    socket.write(get);
    await Promise.race([once(socket, 'answered'), once(socket, 'close')]).catch(() => undefined);
    return text;
  }

  it('each let in some of those who come, and all are answered', async () => {
    const port = await open({ listenSockets: 4, socketsMax: 1000 });
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask(port)));
    expect(answers.every((text) => text.startsWith('HTTP/1.1 200'))).toBe(true);
    const own = await new Promise<number>((resolve) => {
      app.server.getConnections((_, count) => resolve(count));
    });
    expect(own).toBeGreaterThan(0);
    expect(own).toBeLessThan(64);
  });

  it('let in no more than so many together, and others once somebody has left', async () => {
    const port = await open({ listenSockets: 4, socketsMax: 20 });
    const answers: string[] = [];
    for (let count = 0; count < 40; count += 1) answers.push(await ask(port));
    expect(answers.filter((text) => text.startsWith('HTTP/1.1 200'))).toHaveLength(20);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => ask(port)).toContain('HTTP/1.1 200');
  });

  it('close together, and what came in by any of them is ended with all others', async () => {
    const port = await open({ listenSockets: 4, socketsMax: 1000 });
    await Promise.all(Array.from({ length: 32 }, () => ask(port)));
    const closed = Promise.all([doors.close(), app.close()]);
    app.server.closeAllConnections();
    await closed;
    expect(await ask(port)).toBe('');
  });

  it('are one where one is asked for', async () => {
    const port = await open({ listenSockets: 1, socketsMax: 1000 });
    await Promise.all(Array.from({ length: 8 }, () => ask(port)));
    const own = await new Promise<number>((resolve) => {
      app.server.getConnections((_, count) => resolve(count));
    });
    expect(own).toBe(8);
  });
});

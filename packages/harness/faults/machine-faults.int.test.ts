import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Postgres, startPostgres } from '../postgres/index.ts';
import { leavesOut } from '../processes/leaves-out.ts';
import { Leftovers } from '../processes/leftovers.ts';
import {
  failCalls,
  idleInTransaction,
  mountSmallDisk,
  noFailingCalls,
  noNamespaces,
  noSmallDisks,
  openLossyWay,
  openNamespace,
  terminateBackends,
} from './index.ts';

const leftovers = new Leftovers();
afterAll(() => leftovers.done());

const missing = { namespaces: noNamespaces(), smallDisks: noSmallDisks(), failingCalls: noFailingCalls() };

/** Says every datagram back to whoever sent it. */
const echo = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (bytes, { address, port }) => socket.send(bytes, port, address));
  socket.bind(4100, () => console.log('bound'));
`;

describe.skipIf(leavesOut(missing.namespaces))('a network of its own', () => {
  it('loses the share of packets that it is told to, all of them when it is cut, and none once it is healed', async () => {
    const net = openNamespace(leftovers);
    const server = net.spawn(process.execPath, ['--eval', echo], { stdio: ['ignore', 'pipe', 'inherit'] });
    const socket = createSocket('udp4');
    try {
      await once(server.stdout ?? server, 'data');
      const answered = new Set<string>();
      socket.on('message', (bytes) => answered.add(bytes.toString()));
      const sendAll = async (mark: string, count: number): Promise<void> => {
        for (let at = 0; at < count; at += 1) {
          await new Promise((resolve) => socket.send(`${mark}${at}`, 4100, net.inside, resolve));
        }
      };
      const heard = (mark: string): number => [...answered].filter((text) => text.startsWith(mark)).length;
      await sendAll('whole', 50);
      await expect.poll(() => heard('whole')).toBe(50);
      net.lose({ arriving: 0.5 });
      await sendAll('half', 400);
      net.lose({ leaving: 1 });
      await sendAll('mute', 50);
      await expect.poll(() => net.lost()).toBe(50);
      net.lose({});
      await sendAll('healed', 50);
      await expect.poll(() => heard('healed')).toBe(50);
      // Ten standard deviations to either side.
      expect(heard('half')).toBeGreaterThan(100);
      expect(heard('half')).toBeLessThan(300);
      expect(heard('mute')).toBe(0);
    } finally {
      socket.close();
      server.kill('SIGKILL');
      net.close();
    }
    expect(existsSync(`/run/netns/${net.name}`)).toBe(false);
  });

  it('carries TCP whole over a way that loses packets', async () => {
    const sent = randomBytes(200_000);
    const server = createServer((socket) => socket.on('error', () => {}).end(sent));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const way = openLossyWay(leftovers);
    try {
      const { host, port } = await way.to((server.address() as AddressInfo).port);
      way.lose(0.1);
      expect(Buffer.concat(await connect(port, host).toArray()).equals(sent)).toBe(true);
      expect(way.lost()).toBeGreaterThan(0);
    } finally {
      await way.close();
      server.close();
    }
  });
});

describe.skipIf(leavesOut(missing.smallDisks))('a disk that gets full', () => {
  it('refuses what is written once it is full, and takes it once it is freed', () => {
    const path = mkdtempSync(join(tmpdir(), 'keyswarm-disk-'));
    leftovers.add('folder', path);
    const disk = mountSmallDisk(path, { bytes: 2 * 1024 * 1024, leftovers });
    const file = join(path, 'data');
    disk.fill();
    expect(disk.freeBytes()).toBe(0);
    expect(() => writeFileSync(file, Buffer.alloc(8192))).toThrow(/ENOSPC/);
    disk.free();
    writeFileSync(file, Buffer.alloc(8192));
    disk.unmount();
    expect(existsSync(file)).toBe(false);
    leftovers.removeFolder(path);
  });
});

/** Flushes a file at each line, and says what came of it. */
const flusher = `
  const { openSync, writeSync, fsyncSync } = require('node:fs');
  const file = openSync(process.argv[1], 'w');
  process.stdin.on('data', () => {
    try { writeSync(file, 'x'); fsyncSync(file); console.log('ok'); } catch (error) { console.log(error.code); }
  });
  console.log('up');
`;

describe.skipIf(leavesOut(missing.failingCalls))('a disk that fails', () => {
  it('fails the calls that it is told to, of a process that runs, until it is healed', async () => {
    const folder = leftovers.folder('keyswarm-flush-');
    const child = spawn(process.execPath, ['--eval', flusher, join(folder, 'file')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      await said(child);
      expect(await said(child, 'go')).toBe('ok');
      const fault = await failCalls(child.pid ?? 0, { calls: ['fsync'], error: 'EIO' });
      expect(await said(child, 'go')).toBe('EIO');
      await expect.poll(() => fault.injected()).toBe(1);
      await fault.heal();
      expect(await said(child, 'go')).toBe('ok');
    } finally {
      child.kill('SIGKILL');
      leftovers.removeFolder(folder);
    }
  });
});

describe('a database under faults', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres({ own: true, settings: { restart_after_crash: 'on' } });
  });
  afterAll(() => postgres.stop('immediate'));

  const query = async (text: string): Promise<unknown[]> => {
    const client = new Client({ connectionString: postgres.url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(text)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  it('loses the sessions of the database that is named and of no other, at the pace that is asked for', async () => {
    const [url, other] = [await postgres.createDatabase('one'), await postgres.createDatabase('two')];
    const here = await idleInTransaction(url, 'create table rows (n integer)');
    const elsewhere = await idleInTransaction(other);
    const idle = `select pid from pg_stat_activity where state = 'idle in transaction' and backend_xid is not null`;
    expect(await query(idle)).toHaveLength(2);
    const terminator = await terminateBackends({ url, perSecond: 50, random: () => 0 });
    await expect.poll(() => here.isOpen()).toBe(false);
    await terminator.stop();
    expect(terminator.terminated).toBe(1);
    expect(elsewhere.isOpen()).toBe(true);
    expect(await query(idle)).toEqual([{ pid: elsewhere.pid }]);
    await elsewhere.end();
  });

  it.skipIf(leavesOut(missing.failingCalls))(
    'panics at a flush that fails, and has what it had acknowledged when it is back',
    async () => {
      await query('create table rows (n integer)');
      await query('insert into rows values (1)');
      const fault = await failCalls(postgres.pid ?? 0, { calls: ['fsync', 'fdatasync'], error: 'EIO' });
      await expect(query('insert into rows values (2)')).rejects.toThrow();
      await fault.heal();
      expect(fault.injected()).toBeGreaterThan(0);
      const rows = () => query('select n from rows').catch(() => []);
      await expect.poll(rows, { timeout: 60_000 }).toContainEqual({ n: 1 });
    },
  );
});

async function said(child: ChildProcess, line?: string): Promise<string> {
  const heard = once(child.stdout ?? child, 'data');
  if (line !== undefined) child.stdin?.write(`${line}\n`);
  const [text] = (await heard) as [Buffer];
  return text.toString().trim();
}

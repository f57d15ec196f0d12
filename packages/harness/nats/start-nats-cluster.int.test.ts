import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { leavesOut } from '../processes/leaves-out.ts';
import { findNats } from './find-nats.ts';
import { monitorOf } from './monitor.ts';
import { type NatsCluster, startNatsCluster } from './start-nats-cluster.ts';

const { missing } = findNats();

describe.skipIf(leavesOut(missing))('a cluster of its own', () => {
  let cluster: NatsCluster;
  beforeAll(async () => {
    cluster = await startNatsCluster({ leaf: true });
  });
  afterAll(() => cluster.stop());

  test('has three nodes with JetStream, and a leaf that is linked to them', () => {
    expect(cluster.nodes.map(({ isRunning }) => isRunning)).toEqual([true, true, true]);
    expect(new Set([...cluster.urls, cluster.leaf?.url]).size).toBe(4);
  });

  test('greets with its name, after a crash and a restart too', async () => {
    const node = cluster.nodes[1];
    if (node === undefined) throw new Error('there are three');
    expect(await greeting(node.url)).toContain('"server_name":"n2"');
    const { pid } = node;
    await node.signal('SIGKILL');
    await expect(greeting(node.url)).rejects.toThrow(/ECONNREFUSED/);
    await node.start();
    await cluster.ready();
    expect(node.pid).not.toBe(pid);
    expect(await greeting(node.url)).toContain('"server_name":"n2"');
  });

  test('finds the leaf linked again after its link was cut and mended', async () => {
    const links = async () => monitorOf(cluster.leaf?.monitorPort ?? 0, '/leafz');
    cluster.leafLink?.cut();
    await expect.poll(links, { timeout: 15_000 }).toMatchObject({ leafnodes: 0 });
    cluster.leafLink?.mend();
    await cluster.ready();
  });
});

describe.skipIf(leavesOut(missing))('nothing is left behind', () => {
  test('when the process that started it is killed', async () => {
    const entry = new URL('./index.ts', import.meta.url).href;
    const starter = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `const { startNatsCluster } = await import(${JSON.stringify(entry)});
         const { nodes } = await startNatsCluster();
         process.stdout.write(JSON.stringify(nodes.map(({ pid }) => pid)));
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = await Promise.race([once(starter.stdout, 'data'), once(starter, 'exit')]);
    const pids = JSON.parse(String(line)) as number[];
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    await expect.poll(() => pids.some(isAlive), { timeout: 15_000 }).toBe(false);
  });
});

async function greeting(url: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  try {
    const [line] = await once(socket, 'data');
    return String(line);
  } finally {
    socket.destroy();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

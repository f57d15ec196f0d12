import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../plane/ask.ts';
import { isAlive } from '../processes/process-tree.ts';
import { type Cluster, ClusterError, startCluster } from './index.ts';

/* One server, one verifier, a primary and its standby: the whole one takes half a minute to start. */
describe('a cluster on this machine', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ isShort: true, hasStandby: true, verifiers: 1 });
    const body = { name: 'orders', prefix: 'orders', allowed_scopes: ['orders:*'] };
    await cluster.call('POST', '/v1/keyspaces', { body });
  });
  afterAll(() => cluster.stop());

  const issue = async (): Promise<string | undefined> => {
    const body = {
      keyspace: 'orders',
      owner: { kind: 'service', external_id: 'billing' },
      scopes: ['orders:read'],
    };
    const reply = await cluster.call('POST', '/v1/keys', { body }).catch(() => undefined);
    return reply === undefined ? undefined : String(reply.body.secret);
  };
  const codeOf = async (key: string): Promise<unknown> => {
    const reply = await ask(`${cluster.verifier(0).url}/v1/keys/verify`, {
      body: { key, keyspace: 'orders' },
      as: cluster.managementKey,
    });
    return reply.body.code;
  };

  it('has every acknowledged write after its primary was killed in a burst and the standby has taken over', async () => {
    const [old, heir] = cluster.database.nodes;
    const acked: string[] = [];
    let isOver = false;
    const writer = async (): Promise<void> => {
      while (!isOver) {
        const secret = await issue();
        if (secret !== undefined) acked.push(secret);
      }
    };
    const writers = Array.from({ length: 8 }, writer);
    await expect.poll(() => acked.length, { timeout: 30_000 }).toBeGreaterThan(200);
    const promoted = cluster.database.nextFailover();
    await old?.fence();
    const failover = await promoted;
    expect(failover).toMatchObject({ from: 'postgres-1', to: 'postgres-2' });
    expect(failover.promotedAtMs).toBeGreaterThan(failover.fencedAtMs);
    const before = acked.length;
    await expect.poll(() => acked.length, { timeout: 30_000 }).toBeGreaterThan(before + 50);
    isOver = true;
    await Promise.all(writers);
    const codes = new Set<unknown>();
    for (const secret of acked) codes.add(await codeOf(secret));
    expect([...codes]).toEqual(['valid']);
    const rows = await heir?.query('select pg_is_in_recovery() as is_standby');
    expect(rows).toEqual([{ is_standby: false }]);
  });

  it('has a standby that commits wait for once the old primary has rejoined', async () => {
    await cluster.database.rejoin();
    expect(cluster.database.standby?.name).toBe('postgres-1');
    cluster.database.replication?.set({ hold: 'both' });
    const asked = issue();
    const commits = `select 1 from pg_stat_activity where wait_event = 'SyncRep'`;
    await expect.poll(() => cluster.database.primary.query(commits)).not.toEqual([]);
    cluster.database.replication?.heal();
    expect(await codeOf((await asked) ?? '')).toBe('valid');
  });

  it('names a port that is taken, before anything is started', async () => {
    const taken = createServer();
    const port = 23_517;
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    try {
      const refused = startCluster({ isShort: true, portsFrom: port - 2 });
      await expect(refused).rejects.toThrow(ClusterError);
      await expect(refused).rejects.toThrow(/^port 23517 can not be used: another process listens there/);
    } finally {
      taken.close();
    }
  });

  it('leaves no process and no folder behind', async () => {
    const members = cluster.members.flatMap((member) => member.pids());
    const databases = cluster.database.nodes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    expect(databases).toHaveLength(2);
    expect(members.length).toBeGreaterThanOrEqual(2);
    await cluster.stop();
    expect([...members, ...databases].filter(isAlive)).toEqual([]);
    expect([cluster.dir, cluster.database.primary.dataDir].filter(existsSync)).toEqual([]);
  });
});

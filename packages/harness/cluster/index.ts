import { Cluster, type ClusterOptions } from './cluster.ts';

/*
 * A whole Keyswarm on this machine, each part a process of its own on loopback, with every wire between them in reach:
 *
 *              balancer (HAProxy, asks /readyz)
 *             ┌───┴────────────┐
 *        server-1  server-2   verifier-1 … verifier-4          members: start, stop, kill, signal, output
 *           │ │       │ │      1, 2 follow both servers; 3, 4 follow the relay, and the relay both servers
 *        postgres-1 ⇒ postgres-2                               database: primary, standby, failOver, rejoin
 *        n1 n2 n3 ─ leaf                                       nats, which servers and nodes 1, 2 know; the region the leaf
 *
 *   const cluster = await startCluster();                      // or { isShort: true }, or any shape: { verifiers: 2, hasNats: false }
 *   await cluster.call('POST', '/v1/keys', { body });          // as the holder of everything, through the balancer
 *   cluster.verifier(0).signal('SIGSTOP');                     // all its processes; .kill(), .stop(), .start({ env })
 *   await cluster.verifier(1).start({ env: wallClock({ offset: '+3600s' }) });   // of ../processes/wall-clock.ts
 *   for (const { wire } of cluster.linksOf('verifier-1')) wire.set({ hold: 'both' });   // TcpFault of ../faults
 *   for (const { wire } of cluster.linksOf('server-1', 'database')) wire.set({ latencyMs: 200 });
 *   await cluster.database.primary.stop('immediate');          // or .signal('SIGSTOP'), .fence() (SIGKILL to all of it)
 *   const { fencedAtMs, promotedAtMs } = await cluster.database.nextFailover();         // CLOCK_MONOTONIC, as monotonicMs()
 *   await cluster.database.rejoin();                           // the one that is out becomes the standby
 *   cluster.database.isAutomatic = false;                      // nobody takes over; restartPrimary() brings it back
 *   cluster.database.disk?.fill();                             // with { databaseDiskBytes: 200e6 }: ENOSPC; .free()
 *   await failCalls(cluster.database.primary.pid ?? 0, { calls: ['fdatasync'], error: 'EIO' });       // of ../faults
 *   cluster.links[3]?.feed?.set({ stream: 'withhold' });       // with { hasFeedProxies: true }: a relay that misbehaves
 *   await cluster.balancer?.health();                          // whom the balancer sends requests to
 *   await cluster.stop();                                      // ends all, removes all; a crash of this process does it too
 *
 * Logs lie in `cluster.logDir`, one file a member (`member.output()` reads it); PostgreSQL's in `database.nodes[n].logPath`.
 * Each member is asked at `member.url` with `cluster.managementKey`. `cluster.database.url` leads past the wires, as superuser.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = new Cluster(options);
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

export { Balancer, findHaproxy } from './balancer.ts';
export { Cluster, type ClusterOptions, type Link } from './cluster.ts';
export { ClusterError } from './cluster-error.ts';
export type { ClusterShape } from './cluster-plan.ts';
export { DatabaseNode } from './database-node.ts';
export { DatabasePair, type Failover } from './database-pair.ts';
export { Member, type MemberRole, type StartWishes, type Variables } from './member.ts';
export { monotonicMs } from './monotonic.ts';

import { leavesOut } from '@keyswarm/harness/leaves-out';
import { findNats, type NatsCluster, startNatsCluster } from '@keyswarm/harness/nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NatsRig, type RigServer, type RigVerifier, until } from './testing/nats-rig.ts';
import { RevocationWatch } from './testing/revocation-watch.ts';

/*
 * The loss of brokers under a stream of commits, with a real cluster of three and keys whose lease is 2 s: what may
 * grow is the delay, what may not happen is an acceptance past the bound. Times are printed, not asserted.
 */

const { missing } = findNats();

describe.skipIf(leavesOut(missing))('three nodes under a stream of commits', () => {
  let cluster: NatsCluster;
  let rig: NatsRig;
  let server: RigServer;
  let verifiers: readonly RigVerifier[];
  let watch: RevocationWatch;
  beforeAll(async () => {
    cluster = await startNatsCluster();
  });
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    for (const node of cluster.nodes) await node.start();
    await cluster.ready();
    rig = new NatsRig();
    server = rig.server(cluster.urls);
    await until('the stream is there', () => server.streamProblem() === undefined);
    // One verifier behind each node, so that whichever is lost somebody loses their server.
    verifiers = await Promise.all(
      cluster.urls.map((url, at) =>
        rig.verifier(`v${at + 1}`, [url, ...cluster.urls.filter((one) => one !== url)]),
      ),
    );
    for (const { source } of verifiers) await until('rows are pushed', () => hearsNow(source.stats));
    watch = new RevocationWatch(rig, verifiers);
    await until('revocations are under way', () => watch.revoked.length > 20);
  });
  afterEach(async () => {
    watch.stop();
    await rig.stop();
  });

  /** Issues one to see whether it is brought. */
  const hearsNow = (stats: RigVerifier['source']['stats']) => {
    rig.primary.issue();
    return stats.received > 0;
  };
  /** How long until every verifier has been pushed something again. */
  const pushedAgain = async (): Promise<number> => {
    const before = verifiers.map(({ source }) => source.stats.received);
    return until('all are pushed to again', () =>
      verifiers.every(({ source }, at) => source.stats.received > (before[at] ?? 0) + 3),
    );
  };
  const settle = async (what: string): Promise<void> => {
    watch.stopCommits();
    await until('every revoked key is refused everywhere', () => watch.settled);
    process.stdout.write(`${what}: ${watch.report()}\n`);
    expect(watch.violations).toEqual([]);
    for (const { follower } of verifiers) expect(follower.state.kind).toBe('following');
  };

  test('no acceptance is past its bound when the leader of the stream is killed', async () => {
    const leader = await cluster.streamLeader('keyswarm_feed');
    const { stored } = server.publisher.stats;
    await leader.signal('SIGKILL');
    const pushedMs = await pushedAgain();
    const storedMs = await until('the stream takes again', () => server.publisher.stats.stored > stored + 50);
    await settle(
      `leader killed (pushed again after ${pushedMs.toFixed(0)} ms, stored after ${storedMs.toFixed(0)})`,
    );
  });

  test('nor when one node after the other ends in good order and comes back', async () => {
    for (const node of cluster.nodes) {
      await node.signal('SIGTERM');
      const pushedMs = await pushedAgain();
      process.stdout.write(`${node.name} ended: pushed again after ${pushedMs.toFixed(0)} ms\n`);
      await node.start();
      await cluster.ready();
    }
    await settle('rolling end of all nodes');
  });

  test('nor when a node stops with its sockets open, and its verifier finds another', async () => {
    const [behind] = verifiers;
    const server = behind?.link.state.kind === 'connected' ? behind.link.state.server : '';
    const first = cluster.nodes.find(({ url }) => url.endsWith(server));
    if (first === undefined || behind === undefined) throw new Error('it is connected to one of them');
    await first.signal('SIGSTOP');
    try {
      const deafMs = await until('it is left', () => behind.source.stats.moves > 0);
      const pushedMs = deafMs + (await pushedAgain());
      await settle(`node stopped in silence (pushed again after ${pushedMs.toFixed(0)} ms)`);
    } finally {
      await first.signal('SIGCONT');
    }
  });

  test('nor when all of the broker is gone: writes go on, leases come from the relay, and it heals', async () => {
    for (const node of cluster.nodes) await node.signal('SIGKILL');
    const before = verifiers.map(({ source }) => source.stats.leasesByFallback);
    const revoked = watch.revoked.length;
    await until('the relay renews the leases', () =>
      verifiers.every(({ source }, at) => source.stats.leasesByFallback > (before[at] ?? 0) + 10),
    );
    await until('revocations go on', () => watch.revoked.length > revoked + 50);
    expect(server.publisher.stats.buffered).toBeGreaterThan(0);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    await cluster.ready();
    const healedMs = await pushedAgain();
    await until('what waited is sent', () => server.publisher.stats.buffered === 0);
    await settle(`broker gone and back (pushed again ${healedMs.toFixed(0)} ms after)`);
  });
});

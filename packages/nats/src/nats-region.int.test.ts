import { leavesOut } from '@keyswarm/harness/leaves-out';
import { findNats, type NatsCluster, startNatsCluster } from '@keyswarm/harness/nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NatsRig, type RigServer, type RigVerifier, until } from './testing/nats-rig.ts';
import { RevocationWatch } from './testing/revocation-watch.ts';

/* A second region: a leaf node that has no JetStream of its own, and a verifier that knows no other server. */

const { missing } = findNats();

describe.skipIf(leavesOut(missing))('a verifier behind a leaf', () => {
  let cluster: NatsCluster;
  let rig: NatsRig;
  let server: RigServer;
  let far: RigVerifier;
  beforeAll(async () => {
    cluster = await startNatsCluster({ leaf: true });
  });
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    cluster.leafLink?.mend();
    await cluster.ready();
    rig = new NatsRig();
    server = rig.server(cluster.urls);
    await until('the stream is there', () => server.streamProblem() === undefined);
    far = await rig.verifier('far', [cluster.leaf?.url ?? '']);
    await until('the leaf carries', () => {
      rig.primary.issue();
      return far.source.stats.received > 0 && far.source.stats.leasesByNats > 0;
    });
  });
  afterEach(() => rig.stop());

  test('is brought rows and renewed through the leaf alone', async () => {
    far.fallback.state = 'off';
    const { leasesByNats } = far.source.stats;
    const key = rig.primary.issue();
    await until('it is known', () => far.says(key) === 'valid');
    rig.primary.revoke(key);
    await until('it is refused', () => far.says(key) === 'revoked');
    await until('NATS renews', () => far.source.stats.leasesByNats > leasesByNats + 10);
    expect(far.follower.state.kind).toBe('following');
  });

  test.each(['cut', 'silence'] as const)(
    'renews by its relay when the link of the leaf fails by %s, and no acceptance is past its bound',
    async (failure) => {
      const watch = new RevocationWatch(rig, [far]);
      await until('revocations are under way', () => watch.revoked.length > 10);
      cluster.leafLink?.[failure]();
      const { leasesByFallback } = far.source.stats;
      const renewed = await until(
        'the relay renews',
        () => far.source.stats.leasesByFallback > leasesByFallback + 10,
      );
      const revoked = watch.revoked.length;
      await until('revocations go on', () => watch.revoked.length > revoked + 20);
      cluster.leafLink?.mend();
      const { received } = far.source.stats;
      const pushedMs = await until('it is pushed to again', () => far.source.stats.received > received);
      await until('the stream fills the hole', () => far.source.stats.caughtUp > 0);
      watch.stopCommits();
      await until('every revoked key is refused', () => watch.settled);
      watch.stop();
      process.stdout.write(
        `leaf link ${failure}: ten leases by the relay in ${renewed.toFixed(0)} ms, pushed again ${pushedMs.toFixed(0)} ms after it was mended; ${watch.report()}\n`,
      );
      expect(watch.violations).toEqual([]);
    },
  );

  test('is stale when both ways are cut, whatever it held, and heals by itself', async () => {
    const key = rig.primary.issue();
    await until('it is known', () => far.says(key) === 'valid');
    far.fallback.state = 'silent';
    cluster.leafLink?.cut();
    rig.primary.revoke(key);
    await until('it is stale', () => far.says(key) === 'stale');
    far.fallback.state = 'on';
    await until('it is refused', () => far.says(key) === 'revoked');
  });

  test('is pushed to by its relay while the leaf is silent, until it speaks again', async () => {
    far.fallback.pushes = true;
    cluster.leafLink?.cut();
    await until('the relay pushes', () => far.fallback.listeners.size === 1);
    const key = rig.primary.issue();
    cluster.leafLink?.mend();
    await until('NATS pushes', () => far.fallback.listeners.size === 0);
    await until('it is known', () => far.says(key) === 'valid');
  });
});

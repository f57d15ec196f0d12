import { leavesOut } from '@keyswarm/harness/leaves-out';
import { findNats, type NatsCluster, startNatsCluster } from '@keyswarm/harness/nats';
import { describeTransport } from '@keyswarm/verifier/conformance/transport.conformance';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openNats } from './testing/nats-transport.ts';

/* What every transport promises, over a cluster of three. */

const hurry = 0.2;
const { missing } = findNats();

describe.skipIf(leavesOut(missing))('three nodes', () => {
  let cluster: NatsCluster;
  let opened = 0;
  const used = { leasesByNats: 0, received: 0 };
  beforeAll(async () => {
    cluster = await startNatsCluster();
  });
  afterAll(() => {
    // What is tested is NATS too, not only the relay that steps in for it.
    expect(used.leasesByNats).toBeGreaterThan(10);
    expect(used.received).toBeGreaterThan(10);
    return cluster?.stop();
  });

  describeTransport('over NATS', {
    hurry,
    runs: 3,
    file: 'packages/nats/src/nats-conformance.int.test.ts',
    open: (authority) => {
      opened += 1;
      return openNats(authority, { urls: cluster.urls, prefix: `conformance${opened}`, hurry, used });
    },
  });
});

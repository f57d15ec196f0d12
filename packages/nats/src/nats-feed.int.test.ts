import { Fault, Secret } from '@keyswarm/core';
import { leavesOut } from '@keyswarm/harness/leaves-out';
import { findNats, type NatsCluster, startNatsCluster, TcpLink } from '@keyswarm/harness/nats';
import { BadFeedRow, type Heads } from '@keyswarm/verifier';
import { decodeLeaseRequest } from '@keyswarm/verifier/lease-messages';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askLease, askRows, type NatsAsker, NatsUnanswered } from './ask-over-nats.ts';
import { defaultStreamLimits, streamConfig } from './ensure-stream.ts';
import type { NatsLink } from './nats-link.ts';
import { readStream } from './read-stream.ts';
import { stretchOfMessage } from './stretch-payload.ts';
import { subjectsOf } from './subjects.ts';
import { linkTo, NatsRig, type RigServer, until } from './testing/nats-rig.ts';
import { RevocationWatch } from './testing/revocation-watch.ts';
import type { TestKey } from './testing/test-primary.ts';

/* One broker: what is published, kept, asked and answered. Each test has a prefix of its own. */

const { missing } = findNats();

describe.skipIf(leavesOut(missing))('over a broker', () => {
  let cluster: NatsCluster;
  let rig: NatsRig;
  let link: NatsLink;
  let count = 0;
  beforeAll(async () => {
    cluster = await startNatsCluster({ nodes: 1 });
  });
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    count += 1;
    rig = new NatsRig(`test${count}`);
    link = linkTo(cluster.urls, 'test');
    await until('a connection', () => link.connection !== undefined);
  });
  afterEach(async () => {
    await rig.stop();
    await link.close();
  });
  const connection = () => {
    const { connection: there } = link;
    if (there === undefined) throw new Error('no broker is connected');
    return there;
  };
  const subjects = () => subjectsOf(rig.prefix);
  const withStream = async (server: RigServer) => {
    await until('the stream is there', () => server.streamProblem() === undefined);
    return server;
  };
  const ask = { applied: undefined, leaseAgeMs: undefined, fresh: true };
  const asker = (): NatsAsker => ({ link, subjects: subjects(), credential: undefined });
  const request = {
    verifier: { id: 'v1', name: 'v1', kind: 'library' as const },
    downstream: [],
    ask,
  };

  describe('the stream', () => {
    test('is made as it is asked for, and every setting is there when it is read back', async () => {
      await withStream(rig.server(cluster.urls, { replicas: 1 }));
      const manager = await jetstreamManager(connection());
      const { config } = await manager.streams.info(subjects().stream);
      expect(config).toMatchObject(streamConfig(subjects(), { ...defaultStreamLimits, replicas: 1 }));
    });

    test('that is otherwise is told of by the name of its field, left as it is, and rows are pushed all the same', async () => {
      const manager = await jetstreamManager(connection());
      const config = streamConfig(subjects(), { ...defaultStreamLimits, replicas: 1 });
      await manager.streams.add({ ...config, name: subjects().stream, max_age: 600_000_000_000 });
      const server = rig.server(cluster.urls, { replicas: 1 });
      await until('it is told of', () => server.streamProblem() instanceof Error);
      expect(server.streamProblem()).toMatchObject({
        name: 'StreamDiffers',
        field: 'max_age',
        message: expect.stringContaining('expected 3600000000000, got 600000000000'),
      });
      expect((await manager.streams.info(subjects().stream)).config.max_age).toBe(600_000_000_000);
      const verifier = await rig.verifier('v1', cluster.urls);
      await until('rows are pushed', () => {
        rig.primary.issue();
        return verifier.source.stats.received > 0;
      });
    });

    test('keeps a message once, however often it is offered', async () => {
      const server = await withStream(rig.server(cluster.urls, { replicas: 1 }));
      const stretches: Parameters<RigServer['publisher']['publish']>[0][number][] = [];
      rig.primary.onCommitted = (stretch) => stretches.push(stretch);
      for (const _ of [1, 2, 3]) rig.primary.issue();
      for (const _ of [1, 2, 3]) server.publisher.publish(stretches);
      await until('all are acknowledged', () => server.publisher.stats.stored === 9);
      const kept: unknown[] = [];
      const asked = { stream: subjects().stream, afterSeq: 0 };
      await readStream(connection(), asked, (payload) => kept.push(stretchOfMessage(payload)));
      expect(kept).toHaveLength(3);
      expect(kept).toEqual(expect.arrayContaining(stretches));
    });

    test('fills the hole that a lost connection left', async () => {
      const server = await withStream(rig.server(cluster.urls, { replicas: 1 }));
      const wire = await TcpLink.open(Number(new URL(cluster.urls[0] ?? '').port));
      try {
        const verifier = await rig.verifier('v1', [`127.0.0.1:${wire.port}`]);
        await until('rows are pushed', () => {
          rig.primary.issue();
          return verifier.source.stats.received > 3 && verifier.source.stats.streamSeq !== undefined;
        });
        const { stored } = server.publisher.stats;
        wire.cut();
        await until('it is away', () => verifier.link.state.kind === 'away');
        const missed = [1, 2, 3].map(() => rig.primary.issue());
        await until('the stream has them', () => server.publisher.stats.stored >= stored + missed.length);
        expect(verifier.source.stats.caughtUp).toBe(0);
        wire.mend();
        await until('they are brought', () => verifier.source.stats.caughtUp >= missed.length);
        await until('they are known', () => missed.every((key) => verifier.says(key) === 'valid'));
      } finally {
        await wire.close();
      }
    });
  });

  describe('a question', () => {
    test('for the lease is answered with heads that were read after it came', async () => {
      rig.server(cluster.urls, { replicas: 1 });
      await until('somebody answers', () => rig.primary.calls.lease >= 0);
      rig.primary.issue();
      await expect
        .poll(() => askLease(asker(), { ...request }).catch(() => undefined))
        .toMatchObject({
          ...rig.primary.heads(),
          ageMs: 0,
          fromPrimary: true,
          behind: [],
          wall: { earliestMs: expect.any(Number) },
        });
    });

    test('for the lease goes on to the server that answered it, and to another when that has gone', async () => {
      const asked: string[] = [];
      const serverOf = (name: string) =>
        rig.server(cluster.urls, {
          replicas: 1,
          lease: () => {
            asked.push(name);
            return rig.primary.lease();
          },
        });
      const servers = { a: serverOf('a'), b: serverOf('b') };
      const one = asker();
      await expect.poll(() => askLease(one, request).catch(() => undefined)).toBeDefined();
      const [first = ''] = asked.splice(0).slice(-1);
      for (let times = 0; times < 10; times += 1) await askLease(one, request);
      expect(new Set(asked)).toEqual(new Set([first]));
      await servers[first === 'a' ? 'a' : 'b'].stop();
      await expect(askLease(one, request)).rejects.toBeInstanceOf(NatsUnanswered);
      await askLease(one, request);
      expect(asked.at(-1)).toBe(first === 'a' ? 'b' : 'a');
    });

    test('for rows is answered with as many as there are, gone, or the row that can not be read', async () => {
      rig.server(cluster.urls, {
        replicas: 1,
        service: {
          rows: async ({ shard, range }) => {
            if (shard === 1) return 'gone';
            if (shard === 2) throw new BadFeedRow(2, 7, 'row.v is not known');
            return rig.primary.rows(shard, range);
          },
        },
      });
      while (rig.primary.heads().seqs[0] === 0) rig.primary.issue();
      const [upTo = 0] = rig.primary.heads().seqs;
      const range = { after: 0, upTo, limit: 100 };
      await expect
        .poll(() => askRows(asker(), 0, range).catch(() => undefined))
        .toMatchObject({ after: 0, upTo });
      expect(await askRows(asker(), 1, range)).toBe('gone');
      await expect(askRows(asker(), 2, range)).rejects.toMatchObject({
        name: 'BadFeedRow',
        shard: 2,
        seq: 7,
      });
    });

    test.each([
      ['is no JSON', 'nonsense', 'unavailable'],
      ['names no verifier', '{"applied":null,"lease_age_ms":null}', 'invalid_field'],
      ['is longer than any honest one', ' '.repeat(300_000), 'overloaded'],
    ])('that %s is refused', async (_, text, code) => {
      const server = rig.server(cluster.urls, { replicas: 1 });
      await expect
        .poll(async () => {
          const reply = await connection()
            .request(subjects().lease, text)
            .catch(() => undefined);
          return reply?.json();
        })
        .toEqual({ problem: { code } });
      expect(server.served.stats.answered).toBe(0);
    });

    test('that nobody hears is not waited for', async () => {
      await expect(askLease(asker(), request)).rejects.toBeInstanceOf(NatsUnanswered);
    });
  });

  test('a publisher without a broker lets every write go on, and counts what it drops', async () => {
    const nowhere = linkTo(['127.0.0.1:1'], 'nowhere');
    const server = rig.server(['127.0.0.1:1']);
    try {
      for (let written = 0; written < 10_500; written += 1) rig.primary.issue();
      const { buffered, dropped, sent } = server.publisher.stats;
      expect([buffered, dropped, sent]).toEqual([10_000, 500, 0]);
    } finally {
      await nowhere.close();
    }
  });

  test('rows of a keyspace that the relay does not send are not brought by the broker either', async () => {
    await withStream(rig.server(cluster.urls, { replicas: 1 }));
    const verifier = await rig.verifier('v1', cluster.urls);
    const foreign = rig.primary.newKeyspace('foreign');
    const own = verifier.fallback.rows.bind(verifier.fallback);
    verifier.fallback.rows = async (shard, range, signal) => {
      const stretch = await own(shard, range, signal);
      if (stretch === 'gone') return 'gone';
      return { ...stretch, rows: stretch.rows.filter(({ keyspace }) => keyspace?.id !== foreign.id) };
    };
    const hidden: TestKey[] = [];
    await until('some are withheld', () => {
      hidden.push(rig.primary.issue(foreign));
      return verifier.source.stats.withheld > 0;
    });
    const shown = rig.primary.issue();
    await until('the next is known', () => verifier.says(shown) === 'valid');
    await verifier.follower.catchUp();
    const { withheld } = verifier.source.stats;
    hidden.push(rig.primary.issue(foreign));
    const next = rig.primary.issue();
    await until('the next is known', () => verifier.says(next) === 'valid');
    expect(hidden.map((key) => verifier.says(key))).toEqual(hidden.map(() => 'unknown'));
    expect(verifier.source.stats.withheld).toBe(withheld);
  });

  test('a question carries the credential of its asker, for the server to decide', async () => {
    const seen: unknown[] = [];
    rig.server(cluster.urls, {
      replicas: 1,
      service: {
        lease: ({ body, credential }) => {
          seen.push([decodeLeaseRequest(body).verifier.id, credential?.reveal()]);
          return Promise.reject(new Fault('unauthenticated', { detail: 'no' }));
        },
      },
    });
    const credential = new Secret('keyswarm_something');
    await expect
      .poll(() => askLease({ ...asker(), credential }, request).catch((error: Error) => error.message))
      .toBe('refused: unauthenticated');
    expect(seen.slice(-1)).toEqual([['v1', 'keyswarm_something']]);
    expect(JSON.stringify(credential)).not.toContain('something');
  });

  test('somebody who waits for positions makes verifiers tell theirs at once', async () => {
    const server = await withStream(rig.server(cluster.urls, { replicas: 1 }));
    const wanted: true[] = [];
    const verifier = await rig.verifier('v1', cluster.urls);
    const subscription = verifier.source.subscribe(rig.primary.heads(), {
      stretch() {},
      wanted: () => wanted.push(true),
      ended() {},
    });
    await until('it is wanted', () => {
      server.publisher.want();
      return wanted.length > 0;
    });
    subscription.close();
  });

  test('the watch of the other suites sees an acceptance past the bound: heads of before the ask, and no push', async () => {
    let frozen: Heads | undefined;
    rig.server(cluster.urls, {
      replicas: 1,
      lease: async () => ({ ...(await rig.primary.lease()), ...frozen }),
    });
    const verifier = await rig.verifier('v1', cluster.urls);
    const watch = new RevocationWatch(rig, [verifier]);
    try {
      await until('NATS renews', () => verifier.source.stats.leasesByNats > 5 && watch.revoked.length > 5);
      verifier.fallback.state = 'silent';
      rig.primary.onCommitted = () => {};
      frozen = rig.primary.heads();
      await until('it is seen', () => watch.violations.length > 0);
    } finally {
      watch.stop();
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { FeedSource, LeaseAnswer } from '../feed/feed-source.ts';
import { openInProcess } from './testing/in-process-transport.ts';
import type { SteppedClock } from './testing/stepped-clock.ts';
import { type OpenTransport, TransportBench } from './testing/transport-bench.ts';
import { transportCases } from './transport-cases.conformance.ts';

/*
 * Transports with a bug each. The suite is worth what it catches: for every one of them there are cases that fail.
 */

type Wrap = (source: FeedSource, clock: SteppedClock) => FeedSource;

/** Is no class, so that a bug can be put over it member by member. */
function plain(source: FeedSource): FeedSource {
  return {
    lease: (ask, signal) => source.lease(ask, signal),
    rows: (shard, range, signal) => source.rows(shard, range, signal),
    snapshot: (sink, signal) => source.snapshot(sink, signal),
    subscribe: (from, listener) => source.subscribe?.(from, listener) ?? { close() {} },
  };
}

/** An ask that hangs is answered as soon as something is pushed, with what was pushed. */
const renewsOnPush: Wrap = (source) => {
  let heads: LeaseAnswer | undefined;
  const waiting = new Set<(answer: LeaseAnswer) => void>();
  return {
    ...plain(source),
    async lease(ask, signal) {
      const pushed = Promise.withResolvers<LeaseAnswer>();
      waiting.add(pushed.resolve);
      heads = await Promise.race([source.lease(ask, signal), pushed.promise]);
      return heads;
    },
    subscribe(from, listener) {
      const stretch = (told: Parameters<typeof listener.stretch>[0]) => {
        listener.stretch(told);
        if (heads === undefined) return;
        const seqs = heads.seqs.map((seq, shard) => (shard === told.shard ? Math.max(seq, told.upTo) : seq));
        heads = { ...heads, seqs };
        for (const answer of waiting) answer(heads);
      };
      return source.subscribe?.(from, { ...bound(listener), stretch }) ?? { close() {} };
    },
  };
};

/** The first row of a read is left out, and its place covered. */
const skipsRows: Wrap = (source) => ({
  ...plain(source),
  async rows(shard, range, signal) {
    const stretch = await source.rows(shard, range, signal);
    return stretch === 'gone' ? stretch : { ...stretch, rows: stretch.rows.slice(1) };
  },
});

/** The same of what is pushed. */
const skipsPushes: Wrap = (source) => ({
  ...plain(source),
  subscribe: (from, listener) =>
    source.subscribe?.(from, {
      ...bound(listener),
      stretch: (told) => listener.stretch({ ...told, rows: told.rows.slice(1) }),
    }) ?? { close() {} },
});

/** Every ask is answered with what was read for the ask before it. */
const answersFromBefore: Wrap = (source) => {
  let before: LeaseAnswer | undefined;
  return {
    ...plain(source),
    async lease(ask, signal) {
      const now = await source.lease(ask, signal);
      const answer = before ?? now;
      before = now;
      return answer;
    },
  };
};

/** An ask that failed is answered with what was answered last. */
const hidesOutages: Wrap = (source) => {
  let last: LeaseAnswer | undefined;
  return {
    ...plain(source),
    async lease(ask, signal) {
      last = await source.lease(ask, signal).catch((error: unknown) => {
        if (last === undefined) throw error;
        return last;
      });
      return last;
    },
  };
};

/** A snapshot that was cut off is taken for a whole one. */
const endsSnapshotsEarly: Wrap = (source) => ({
  ...plain(source),
  async snapshot(sink, signal) {
    let keys = 0;
    return await source.snapshot(
      {
        key: (fact) => {
          keys += 1;
          if (keys <= 10) sink.key(fact);
        },
        owner: (fact) => sink.owner(fact),
        keyspace: (fact) => sink.keyspace(fact),
        signingKey: (fact) => sink.signingKey(fact),
        stretch: (stretch) => sink.stretch(stretch),
      },
      signal,
    );
  },
});

/** The bug, and the guarantee that it breaks. */
const planted: readonly (readonly [string, Wrap, RegExp])[] = [
  ['renews the lease on a push', renewsOnPush, /^a push renews no lease/],
  ['skips a row that is read', skipsRows, /^everything acknowledged before a catch-up/],
  ['skips a row that is pushed', skipsPushes, /^what is pushed arrives/],
  ['answers with heads from before the ask', answersFromBefore, /^the answer to an ask names heads/],
  [
    'lets a catch-up end with heads from before',
    answersFromBefore,
    /^everything acknowledged before a catch-up/,
  ],
  ['answers for a relay that can not be reached', hidesOutages, /^a transport that is gone and back/],
  ['takes half a snapshot for a whole one', endsSnapshotsEarly, /^a snapshot and what commits/],
];

describe('the suite of transports', () => {
  for (const [bug, wrap, title] of planted) {
    it(`catches one that ${bug}`, { timeout: 60_000 }, async () => {
      await expect(runCase(wrap, title, 700)).rejects.toThrow();
      // And the same case passes where nothing is wrong: it is the bug that was caught.
      await runCase(plain, title, 20_000);
    });
  }
});

async function runCase(wrap: Wrap, wanted: RegExp, patienceMs: number): Promise<void> {
  const found = transportCases.find(({ title }) => wanted.test(title));
  if (found === undefined) throw new Error('there is no such case');
  const open: OpenTransport = (authority) =>
    openInProcess(authority, (source) => wrap(source, authority.clock));
  const bench = await TransportBench.start({ open, hurry: 0.1, patienceMs });
  try {
    await found.run(bench);
  } finally {
    await bench.stop();
  }
}

function bound(listener: Parameters<NonNullable<FeedSource['subscribe']>>[1]) {
  return {
    wanted: () => listener.wanted(),
    ended: (error: unknown) => listener.ended(error),
  };
}

import type { FeedListener, FeedStretch, SnapshotSink } from '@keyswarm/verifier';
import { systemTimers } from '@keyswarm/verifier/timers';
import { expect, test } from 'vitest';
import { createNatsFeedSource } from './nats-feed-source.ts';
import { messagesOf } from './stretch-payload.ts';
import { defaultPrefix, subjectsOf } from './subjects.ts';
import { TestPrimary } from './testing/test-primary.ts';

type Deliver = (error: null, message: { readonly data: Uint8Array }) => void;

/** A broker that brings what a test hands it to everybody, as one does that knows nothing of views. */
class EveryRow {
  readonly #deliver = new Set<Deliver>();
  readonly connection = {
    subscribe: (subject: string, { callback }: { readonly callback: Deliver }) => {
      if (subject === subjectsOf(defaultPrefix).feedAll) this.#deliver.add(callback);
      return { unsubscribe: () => this.#deliver.delete(callback) };
    },
  };

  bring(stretch: FeedStretch): void {
    for (const { payload } of messagesOf(stretch))
      for (const deliver of this.#deliver) deliver(null, { data: payload });
  }
}

test('what a broker brings to everybody is cut for the view of the table, before, while and after another is loaded', async () => {
  const primary = new TestPrimary();
  const broker = new EveryRow();
  const mine = primary.keyspace;
  const other = primary.newKeyspace('other');
  let [view, readable] = ['wide', [mine, other]];
  const fallback = {
    lease: () => primary.lease(),
    rows: () => Promise.reject(new Error('not asked')),
    snapshot: async (sink: SnapshotSink) => {
      for (const fact of readable) sink.keyspace(fact);
      return { ...primary.heads(), view };
    },
  };
  const source = createNatsFeedSource({
    link: {
      connection: broker.connection,
      onConnected: (told: (connection: unknown, isSame: boolean) => void) => {
        told(broker.connection, false);
        return () => {};
      },
    } as never,
    fallback,
    timers: systemTimers,
    identity: () => ({ verifier: { id: 'v', name: 'v', kind: 'library' }, downstream: [] }),
  });
  primary.onCommitted = (stretch) => broker.bring(stretch);
  const sink = { key() {}, owner() {}, keyspace() {}, signingKey() {}, stretch() {} };
  const forever = new AbortController().signal;
  const pushedTo = (ofView: string) => {
    const ids: string[] = [];
    const listener: FeedListener = {
      stretch: ({ rows }) => ids.push(...rows.map(({ subject }) => subject)),
      wanted() {},
      ended() {},
    };
    const subscription = source.subscribe({ ...primary.heads(), view: ofView }, listener);
    return { ids, close: () => subscription.close() };
  };

  await source.snapshot(sink, forever);
  const wide = pushedTo('wide');
  const first = primary.issue(other).fact.id;
  expect(wide.ids).toEqual([first]);

  [view, readable] = ['narrow', [mine]];
  await source.snapshot(sink, forever);
  // That table is not swapped in yet, and may never be: the one before goes on with what it may read.
  const narrow = pushedTo('narrow');
  const second = primary.issue(other).fact.id;
  const third = primary.issue(mine).fact.id;
  expect(wide.ids).toEqual([first, second, third]);
  expect(narrow.ids).toEqual([third]);
  expect(source.stats.withheld).toBe(1);
  for (const each of [wide, narrow]) each.close();
});

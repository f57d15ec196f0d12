import { createLanes } from '../../lanes/lanes.ts';
import type { Sample } from '../../lanes/testing/sample.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import { systemTimers } from '../../runtime/timers.ts';
import type { Store } from '../../storage/store.ts';
import { createFeedSource } from '../feed-source.ts';
import type { FeedPoller, FeedWriter, LogUnderTest } from './feed-promises.ts';

/** The feed of the house: lanes write it, a source reads it. `sample.keyspace` has to exist. */
export function houseFeed(sample: Sample): LogUnderTest {
  const { shards } = sample;
  return {
    async openWriter(store): Promise<FeedWriter> {
      const lanes = createLanes({
        store,
        shards,
        clock: systemClock,
        timers: systemTimers,
        onCommitted: () => {},
        // Small batches: what is looked for shows between transactions.
        limits: { batchWeightMax: 3 },
      });
      return { write: async () => (await lanes.submit(sample.issue({ shard: 0 }))).reply.id };
    },

    async openPoller(store): Promise<FeedPoller> {
      const source = createFeedSource(store, { shards });
      let after = (await source.heads()).seqs[0] ?? 0;
      return {
        async poll() {
          const { seqs } = await source.heads();
          const seen: string[] = [];
          for (const upTo = seqs[0] ?? 0; after < upTo; ) {
            const stretch = await source.rows(0, { after, upTo, limit: 10 });
            if (stretch === 'gone') throw new Error('nothing has been dropped');
            for (const row of stretch.rows) seen.push(row.subject);
            after = stretch.upTo;
          }
          return seen;
        },
      };
    },
  };
}

/** The planted bug: rows numbered by a sequence, and a reader that asks for `id > last`. */
export const sequenceLog: LogUnderTest = {
  async openWriter(store): Promise<FeedWriter> {
    await createSequenceLog(store);
    return {
      write: () =>
        store.transaction(async (tx) => {
          const row = Buffer.from(systemRandom.bytes(12)).toString('hex');
          await tx.query({ name: 'naive_insert', text: 'insert into naive_feed (row) values ($1)' }, [row]);
          return row;
        }),
    };
  },

  async openPoller(store): Promise<FeedPoller> {
    await createSequenceLog(store);
    const text = 'select id, row from naive_feed where id > $1 order by id';
    let last = 0;
    return {
      async poll() {
        const rows = await store.query<{ id: number; row: string }>({ name: 'naive_poll', text }, [last]);
        last = rows.at(-1)?.id ?? last;
        return rows.map(({ row }) => row);
      },
    };
  },
};

async function createSequenceLog(store: Store): Promise<void> {
  await store.query({
    name: '',
    text: 'create table if not exists naive_feed (id bigserial primary key, row text not null)',
  });
}

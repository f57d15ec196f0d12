import { expect, test } from 'vitest';
import { newsPauseMs, scrapeMsMax } from '../limits.ts';
import type { MetricFamily } from '../metrics/merge-families.ts';
import { ListedTimers } from './testing/fake-workers.ts';
import type { FromWorker, WorkerPlace } from './worker-messages.ts';
import { ChannelSeat } from './worker-seat.ts';

const counted: readonly MetricFamily[] = [
  { name: 'c_total', help: 'C.', type: 'counter', aggregator: 'sum', values: [{ value: 7, labels: {} }] },
];

function sit(place: Partial<WorkerPlace> = {}) {
  const sent: FromWorker[] = [];
  const timers = new ListedTimers();
  const channel = {
    send: async (message: FromWorker) => void sent.push(message),
    onMessage: () => {},
    onClosed: () => {},
  };
  const where = { worker: 2, workers: 3, isAlone: false, isOpen: false, ...place };
  return { sent, timers, seat: new ChannelSeat({ place: where, channel, timers }) };
}

test('a worker may be ready once every one listens, and at once when it comes back', () => {
  const { seat } = sit();
  expect(seat.isOpen()).toBe(false);
  seat.open();
  expect(seat.isOpen()).toBe(true);
  expect(sit({ isOpen: true }).seat.isOpen()).toBe(true);
});

test('metrics are what the supervisor answers', async () => {
  const { seat, sent } = sit();
  const text = seat.speakFor({ families: async () => [] })();
  expect(sent).toEqual([{ kind: 'scrape', ask: 1 }]);
  seat.scraped(1, counted);
  expect(await text).toContain('c_total 7\n');
});

test('metrics without an answer are those of this worker, which says that it is the only one', async () => {
  const { seat, timers } = sit();
  const text = seat.speakFor({ families: async () => counted })();
  timers.fire(scrapeMsMax);
  const said = await text;
  for (const line of [
    'keyswarm_workers 3',
    'keyswarm_workers_reporting 1',
    'keyswarm_worker_reporting{worker="1"} 0',
    'keyswarm_worker_reporting{worker="2"} 1',
    'c_total 7',
  ]) {
    expect(said).toContain(`${line}\n`);
  }
  // Nobody waits for it any more.
  seat.scraped(1, []);
});

test('commits are told to the others and heard from them at a pace, and the last is never lost', () => {
  const { seat, sent, timers } = sit();
  let looks = 0;
  seat.onNews(() => {
    looks += 1;
  });
  for (let commit = 0; commit < 100; commit += 1) {
    seat.committed();
    seat.news();
  }
  expect([sent.length, looks]).toEqual([1, 1]);
  timers.fire(newsPauseMs);
  expect([sent.length, looks]).toEqual([2, 2]);
});

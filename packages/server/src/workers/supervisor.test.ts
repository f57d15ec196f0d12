import { describe, expect, test } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import {
  workerGrownMs,
  workerPauseMsMax,
  workerPauseMsMin,
  workerReportMsMax,
  workerYoungDeathsMax,
} from '../limits.ts';
import type { MetricFamily } from '../metrics/merge-families.ts';
import { carryError } from './carried-error.ts';
import { Bench, type FakeWorker } from './testing/fake-workers.ts';

/* The supervisor over workers that do only what a test says; workers.int.test.ts has real ones. */

const counted = (value: number): readonly MetricFamily[] => [
  {
    name: 'c_total',
    help: 'C.',
    type: 'counter',
    aggregator: 'sum',
    values: [{ value, labels: {} }],
  },
  { name: 'age', help: 'A.', type: 'gauge', aggregator: 'max', values: [{ value, labels: {} }] },
];

describe('the start', () => {
  test('is of the first worker alone, which looks at the port; the others get the port that it took', async () => {
    const bench = new Bench({ workers: 3 });
    await bench.settle();
    expect(bench.started).toHaveLength(1);
    expect(bench.at(0).start.place).toEqual({ worker: 1, workers: 3, isAlone: true, isOpen: false });
    expect(bench.at(0).start.config.port).toBe(0);
    bench.at(0).listen();
    await bench.settle();
    expect(bench.started).toHaveLength(3);
    for (const worker of bench.started.slice(1)) {
      expect(worker.start.config.port).toBe(4321);
      expect(worker.start.place).toMatchObject({ isAlone: false, isOpen: false });
    }
  });

  test('is over when every worker listens, and none is told that it may be ready before', async () => {
    const bench = new Bench({ workers: 3 });
    await bench.settle();
    bench.at(0).listen();
    await bench.settle();
    bench.at(1).listen();
    await bench.settle();
    expect(bench.logged('listening')).toBe(false);
    expect(bench.started.some((worker) => worker.heard('open'))).toBe(false);
    bench.at(2).listen();
    expect((await bench.running).url).toBe('http://127.0.0.1:4321');
    expect(bench.logged('listening')).toBe(true);
    expect(bench.started.every((worker) => worker.heard('open'))).toBe(true);
  });

  test.each([
    [new ConfigError('KEYSWARM_BOOTSTRAP_KEY', 'a key', 'x'), { setting: 'KEYSWARM_BOOTSTRAP_KEY' }],
    [Object.assign(new Error('taken'), { code: 'EADDRINUSE' }), { code: 'EADDRINUSE' }],
  ])('fails with what the first worker failed with: %s', async (error, shape) => {
    const bench = new Bench();
    await bench.settle();
    bench.at(0).say({ kind: 'failed', error: carryError(error) });
    bench.at(0).end({ code: 1 });
    await expect(bench.running).rejects.toMatchObject({ ...shape, message: error.message });
    expect(bench.started).toHaveLength(1);
  });

  test('that is told to stop leaves no worker', async () => {
    const bench = new Bench();
    await bench.settle();
    bench.stopping.abort(new Error('stop'));
    await bench.settle();
    expect(bench.at(0).heard('drain')).toBe(true);
    bench.at(0).end({ code: 0 });
    await expect(bench.running).rejects.toThrow('stop');
    expect(bench.started).toHaveLength(1);
  });

  test('is refused where several can not share a port', async () => {
    const bench = new Bench({ platform: 'darwin' });
    await expect(bench.running).rejects.toThrow(ConfigError);
    expect(bench.started).toEqual([]);
  });
});

describe('a worker that dies', () => {
  test('is started again, in its place, after a pause', async () => {
    const bench = new Bench();
    await bench.open();
    bench.nowMs += workerGrownMs;
    bench.at(1).end({ signal: 'SIGKILL' });
    await bench.settle();
    expect(bench.started).toHaveLength(2);
    bench.timers.fire(workerPauseMsMin);
    await bench.settle();
    expect(bench.last.start.place).toEqual({ worker: 2, workers: 2, isAlone: false, isOpen: true });
    expect(bench.last.start.config.port).toBe(4321);
  });

  test('looks at the port when no other is there', async () => {
    const bench = new Bench();
    await bench.open();
    bench.nowMs += workerGrownMs;
    for (const worker of [...bench.started]) worker.end({ signal: 'SIGKILL' });
    bench.timers.fire(workerPauseMsMin);
    await bench.settle();
    expect(bench.started.slice(2).map((worker) => worker.start.place.isAlone)).toEqual([true, false]);
  });

  test('young, again and again, ends the whole while no other has lived for long', async () => {
    const bench = new Bench();
    await bench.open();
    for (let death = 1; death < workerYoungDeathsMax; death += 1) {
      bench.last.end({ code: 1 });
      bench.timers.fire(workerPauseMsMax);
      await bench.settle();
    }
    expect(bench.collapses).toBe(0);
    bench.last.end({ code: 1 });
    expect(bench.logged('giving up')).toBe(true);
    expect(bench.at(0).heard('drain')).toBe(true);
    expect(bench.collapses).toBe(0);
    bench.at(0).end({ code: 0 });
    await bench.settle();
    expect(bench.collapses).toBe(1);
  });

  test('young, again and again, is tried on while another serves', async () => {
    const bench = new Bench();
    await bench.open();
    bench.nowMs += workerGrownMs + 1;
    for (let death = 0; death < 4 * workerYoungDeathsMax; death += 1) {
      bench.last.end({ code: 1 });
      bench.timers.fire(workerPauseMsMax);
      await bench.settle();
    }
    expect(bench.collapses).toBe(0);
    expect(bench.started).toHaveLength(2 + 4 * workerYoungDeathsMax);
  });
});

test('a commit of one worker is told to the others, and not back to it', async () => {
  const bench = new Bench({ workers: 3 });
  await bench.open();
  bench.at(1).say({ kind: 'news' });
  expect(bench.started.map((worker) => worker.heard('news'))).toEqual([true, false, true]);
});

describe('the end', () => {
  const living = (bench: Bench): FakeWorker[] => bench.started.filter((worker) => worker.isThere);

  test('drains every worker, waits for the last, and starts none again', async () => {
    const bench = new Bench();
    const workers = await bench.open();
    let isClosed = false;
    const closed = workers.close().then(() => {
      isClosed = true;
    });
    expect(living(bench).every((worker) => worker.heard('drain'))).toBe(true);
    bench.at(0).end({ code: 0 });
    await bench.settle();
    expect(isClosed).toBe(false);
    bench.at(1).end({ code: 0 });
    await closed;
    bench.timers.fire(Number.POSITIVE_INFINITY);
    expect(bench.started).toHaveLength(2);
  });

  test('does not wait for a worker that was about to be started again', async () => {
    const bench = new Bench();
    const workers = await bench.open();
    bench.at(1).end({ code: 1 });
    const closed = workers.close();
    bench.at(0).end({ code: 0 });
    await closed;
    bench.timers.fire(workerPauseMsMax);
    await bench.settle();
    expect(bench.started).toHaveLength(2);
  });

  test('kills who does not drain in its time, and says so', async () => {
    const bench = new Bench();
    const closed = (await bench.open()).close();
    bench.at(0).end({ code: 0 });
    bench.timers.fire(Number.POSITIVE_INFINITY);
    await expect(closed).rejects.toThrow('2');
    expect(bench.started.map((worker) => worker.wasKilled)).toEqual([false, true]);
  });
});

describe('the metrics of all workers', () => {
  async function scrape(bench: Bench, answers: (number | undefined)[]): Promise<readonly MetricFamily[]> {
    const there = bench.started.filter((worker) => worker.isThere);
    const asker = there[0] as FakeWorker;
    asker.received.splice(1);
    asker.say({ kind: 'scrape', ask: 7 });
    for (const [at, answer] of answers.entries())
      if (answer !== undefined) there[at]?.report(counted(answer));
    bench.timers.fire(workerReportMsMax);
    await bench.settle();
    const message = asker.received.find(({ kind }) => kind === 'scraped');
    return message?.kind === 'scraped' ? message.families : [];
  }
  const figure = (families: readonly MetricFamily[], name: string) =>
    families.find((family) => family.name === name)?.values.map(({ value }) => value);

  test('are one: counts are added, an age is the worst', async () => {
    const bench = new Bench();
    await bench.open();
    const families = await scrape(bench, [3, 4]);
    expect(figure(families, 'c_total')).toEqual([7]);
    expect(figure(families, 'age')).toEqual([4]);
    expect(figure(families, 'keyswarm_workers_reporting')).toEqual([2]);
  });

  test('name a worker that does not answer, and keep what it had counted', async () => {
    const bench = new Bench();
    await bench.open();
    await scrape(bench, [3, 40]);
    const families = await scrape(bench, [5, undefined]);
    expect(figure(families, 'keyswarm_workers')).toEqual([2]);
    expect(figure(families, 'keyswarm_workers_reporting')).toEqual([1]);
    expect(figure(families, 'keyswarm_worker_reporting')).toEqual([1, 0]);
    expect(figure(families, 'c_total')).toEqual([45]);
    expect(figure(families, 'age')).toEqual([5]);
  });

  test('do not fall when a worker dies and its successor counts from nought', async () => {
    const bench = new Bench();
    await bench.open();
    await scrape(bench, [3, 40]);
    bench.at(1).end({ signal: 'SIGKILL' });
    bench.timers.fire(workerPauseMsMax);
    await bench.settle();
    bench.last.listen();
    const families = await scrape(bench, [3, 1]);
    expect(figure(families, 'c_total')).toEqual([44]);
    expect(figure(families, 'keyswarm_worker_restarts_total')).toEqual([1]);
    expect(figure(await scrape(bench, [3, 2]), 'c_total')).toEqual([45]);
  });

  test('are gathered once for all who ask at the same time', async () => {
    const bench = new Bench();
    await bench.open();
    for (let ask = 0; ask < 50; ask += 1) bench.at(ask % 2).say({ kind: 'scrape', ask });
    for (const worker of bench.started) {
      expect(worker.received.filter(({ kind }) => kind === 'report')).toHaveLength(1);
      worker.report(counted(1));
    }
    await bench.settle();
    for (const worker of bench.started) {
      expect(worker.received.filter(({ kind }) => kind === 'scraped')).toHaveLength(25);
    }
  });
});

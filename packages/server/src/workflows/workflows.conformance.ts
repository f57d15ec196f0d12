import { afterEach, describe, expect, test } from 'vitest';
import { Gate, StoreBetween } from '../lanes/testing/test-store.ts';
import { createLog } from '../logging/log.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { Store } from '../storage/store.ts';
import { jobKind } from './job-kind.ts';
import { Workflows, type WorkflowsOptions } from './workflows.ts';

const running: Workflows[] = [];

function workflowsOver(store: Store, isEmbedded: boolean, more: Partial<WorkflowsOptions> = {}): Workflows {
  const workflows = new Workflows({
    store,
    isEmbedded,
    log: createLog('silent'),
    timers: systemTimers,
    clock: systemClock,
    random: systemRandom,
    works: true,
    concurrencyMax: 4,
    drainMs: 1_000,
    sendWaitMs: 500,
    pollSeconds: 0.5,
    superviseSeconds: 1,
    ...more,
  });
  running.push(workflows);
  return workflows;
}

/** What the job framework has to do on every engine. Each test uses names of its own, for the store is shared. */
export function describeWorkflows(storeOf: () => Store, isEmbedded: boolean): void {
  const make = (more?: Partial<WorkflowsOptions>, store = storeOf()): Workflows =>
    workflowsOver(store, isEmbedded, more);

  afterEach(() => Promise.all(running.splice(0).map((workflows) => workflows.stop())));

  describe('workflows', () => {
    test('a job is done with the data it was sent with', async () => {
      const kind = jobKind<{ readonly name: string }>('test.data');
      const done = Promise.withResolvers<unknown>();
      const workflows = make();
      workflows.queue(kind, async (data, { attempt }) => done.resolve([data, attempt]));
      await workflows.start();
      await workflows.send(kind, { name: 'a' });
      expect(await done.promise).toEqual([{ name: 'a' }, 1]);
    });

    test('a job sent by a process that does none is done by one that does', async () => {
      const kind = jobKind<{ readonly name: string }>('test.sender');
      const done = Promise.withResolvers<string>();
      const worker = make();
      worker.queue(kind, async ({ name }) => done.resolve(name));
      const sender = make({ works: false });
      sender.queue(kind, async () => done.reject(new Error('the sender did the job')));
      await Promise.all([worker.start(), sender.start()]);
      await sender.send(kind, { name: 'b' });
      expect(await done.promise).toBe('b');
    });

    test('a job that fails is tried again, and its next attempt says that it is the second', async () => {
      const kind = jobKind('test.retry', { retryDelaySeconds: 0 });
      const attempts: number[] = [];
      const done = Promise.withResolvers<void>();
      const workflows = make();
      workflows.queue(kind, async (_, { attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) throw new Error('not yet');
        done.resolve();
      });
      await workflows.start();
      await workflows.send(kind, {});
      await done.promise;
      expect(attempts).toEqual([1, 2]);
    });

    test('jobs with one key are one job while the first has not ended', async () => {
      const kind = jobKind<{ readonly nth: number }>('test.key', { concurrency: 4 });
      const seen: number[] = [];
      const began = new Gate();
      const mayEnd = new Gate();
      const third = new Gate();
      const workflows = make();
      workflows.queue(kind, async ({ nth }) => {
        seen.push(nth);
        if (nth === 3) return third.open();
        began.open();
        await mayEnd.passed;
      });
      await workflows.start();
      await workflows.send(kind, { nth: 1 }, { key: 'one' });
      await began.passed;
      await workflows.send(kind, { nth: 2 }, { key: 'one' });
      await workflows.send(kind, { nth: 3 }, { key: 'other' });
      await third.passed;
      mayEnd.open();
      await workflows.stop();
      expect(seen).toEqual([1, 3]);
    });

    test('what a worker was at when it vanished is done by another', async () => {
      const kind = jobKind<{ readonly name: string }>('test.killed', {
        timeoutSeconds: 1,
        retryDelaySeconds: 0,
      });
      const between = new DyingStore(storeOf());
      const dying = make({}, between);
      const claimed = new Gate();
      dying.queue(kind, async () => {
        claimed.open();
        between.isDead = true;
        await new Promise(() => {});
      });
      await dying.start();
      await dying.send(kind, { name: 'left over' });
      await claimed.passed;
      const resumed = Promise.withResolvers<unknown>();
      const other = make();
      other.queue(kind, async (data, { attempt }) => resumed.resolve([data, attempt]));
      await other.start();
      expect(await resumed.promise).toEqual([{ name: 'left over' }, 2]);
    }, 30_000);

    test('a periodic job runs once a period, however many processes ask for it', async () => {
      let runs = 0;
      const ran = new Gate();
      const all = [1, 2, 3].map(() => {
        const workflows = make();
        workflows.periodic({
          name: 'test.periodic',
          everySeconds: 3_600,
          run: async () => {
            runs += 1;
            ran.open();
          },
        });
        return workflows;
      });
      await Promise.all(all.map((workflows) => workflows.start()));
      await ran.passed;
      await Promise.all(all.map((workflows) => workflows.stop()));
      expect(runs).toBe(1);
    });

    test('a stop waits for the job under way, and tells it', async () => {
      const kind = jobKind('test.drain');
      const began = new Gate();
      let ended = false;
      const workflows = make();
      workflows.queue(kind, async (_, { signal }) => {
        began.open();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        ended = true;
      });
      await workflows.start();
      await workflows.send(kind, {});
      await began.passed;
      await workflows.stop();
      expect(ended).toBe(true);
    });

    test('while the store is away a send is refused, and the start goes on until it is back', async () => {
      const kind = jobKind('test.away');
      const between = new DyingStore(storeOf());
      between.isDead = true;
      const done = new Gate();
      const workflows = make({}, between);
      workflows.queue(kind, async () => done.open());
      const started = workflows.start();
      await expect(workflows.send(kind, {})).rejects.toMatchObject({ code: 'store_unavailable' });
      between.isDead = false;
      await started;
      await workflows.send(kind, {});
      await done.passed;
    });
  });
}

/** A store that a process can no longer reach. */
class DyingStore extends StoreBetween {
  isDead = false;

  override query: Store['query'] = (statement, params) =>
    this.isDead ? Promise.reject(new Error('dead')) : this.inner.query(statement, params);

  override transaction: Store['transaction'] = (work, options) =>
    this.isDead ? Promise.reject(new Error('dead')) : this.inner.transaction(work, options);
}

import { expect, it } from 'vitest';
import type { FeedSource, LeaseAsk } from '../feed/feed-source.ts';
import { keyId, keyspaceId, startMs } from '../testing/sample-facts.arbitrary.ts';
import { UseReporter } from '../uses/use-reporter.ts';
import { takeLeave } from './take-leave.ts';

const use = { keyId: keyId(1), keyspaceId: keyspaceId(1), version: 1, atMs: startMs };

function bench(lease: FeedSource['lease']) {
  const asks: LeaseAsk[] = [];
  const source = {
    lease: (ask: LeaseAsk, signal: AbortSignal) => {
      asks.push(ask);
      return lease(ask, signal);
    },
  } as FeedSource;
  const waiting = [use];
  const uses = new UseReporter((countMax) => waiting.splice(0, countMax), { monotonicMs: () => 0 });
  const due: (() => void)[] = [];
  const timers = {
    sleep: () => Promise.resolve(),
    every: () => () => {},
    after: (_: number, act: () => void) => {
      due.push(act);
      return () => {};
    },
  };
  return { asks, uses, waiting, due, leave: () => takeLeave(source, uses, timers) };
}

it('a verifier that closes tells what it has not told, and that it has neither table nor lease', async () => {
  const { asks, uses, waiting, leave } = bench(async () => ({
    epoch: 1,
    seqs: [1],
    ageMs: 0,
    fromPrimary: true,
    behind: [],
  }));
  uses.told(uses.next() ?? [], 'taken');
  waiting.push({ ...use, version: 2 });
  await leave();
  expect(asks).toEqual([
    { applied: undefined, leaseAgeMs: undefined, fresh: false, uses: [{ ...use, version: 2 }] },
  ]);
});

it('and is kept by no relay that fails or hangs', async () => {
  await bench(() => Promise.reject(new Error('away'))).leave();
  const hanging = bench(() => new Promise(() => {}));
  const left = hanging.leave();
  for (const act of hanging.due) act();
  await left;
  expect(hanging.asks).toHaveLength(1);
});

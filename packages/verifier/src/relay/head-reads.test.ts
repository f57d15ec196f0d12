import { expect, test } from 'vitest';
import type { LeaseAnswer } from '../feed/feed-source.ts';
import { ListedTimers } from '../follow/testing/follower-bench.ts';
import { headReadMsMax, leaseWaitersMax } from '../limits.ts';
import { HeadReads } from './head-reads.ts';

const answerAt = (seq: number): LeaseAnswer => ({
  epoch: 1,
  seqs: [seq],
  ageMs: 0,
  fromPrimary: true,
  behind: [],
});

/** A primary whose head moves, and whose reads look at it as they begin and answer when they are told to. */
function heldPrimary() {
  const primary = { head: 0, reads: [] as { readonly seen: number; answer(): void; fail(): void }[] };
  const timers = new ListedTimers();
  const reads = new HeadReads(() => {
    const { promise, resolve, reject } = Promise.withResolvers<LeaseAnswer>();
    const seen = primary.head;
    primary.reads.push({
      seen,
      answer: () => resolve(answerAt(seen)),
      fail: () => reject(new Error('away')),
    });
    return promise;
  }, timers);
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { primary, reads, timers, turn };
}

test('an ask is answered by a read that began after it came, never by one under way', async () => {
  const { primary, reads, timers, turn } = heldPrimary();
  const first = reads.ask();
  expect(primary.reads).toHaveLength(1);
  // Acknowledged after the first read has looked.
  primary.head = 7;
  const second = reads.ask();
  primary.reads[0]?.answer();
  expect(await first).toMatchObject({ seqs: [0] });
  await turn();
  timers.fire(5);
  await turn();
  expect(primary.reads).toHaveLength(2);
  primary.reads[1]?.answer();
  expect(await second).toMatchObject({ seqs: [7] });
});

test('whoever asks while a read is under way shares the next one', async () => {
  const { primary, reads, timers, turn } = heldPrimary();
  const asks = Array.from({ length: 1000 }, () => reads.ask());
  primary.reads[0]?.answer();
  await turn();
  timers.fire(5);
  await turn();
  primary.reads[1]?.answer();
  await Promise.all(asks);
  expect(reads.reads).toBe(2);
});

test('a read that fails is told to those who waited for it, and the next one is made', async () => {
  const { primary, reads, timers, turn } = heldPrimary();
  const failed = reads.ask();
  primary.reads[0]?.fail();
  await expect(failed).rejects.toThrow('away');
  timers.fire(5);
  await turn();
  const asked = reads.ask();
  primary.reads[1]?.answer();
  expect(await asked).toMatchObject({ seqs: [0] });
});

test('a read that hangs is given up, and does not hold up those who come later', async () => {
  const { primary, reads, timers, turn } = heldPrimary();
  const hung = reads.ask();
  const waiting = reads.ask();
  timers.fire(headReadMsMax);
  await expect(hung).rejects.toMatchObject({ code: 'stale' });
  await turn();
  primary.reads[1]?.answer();
  expect(await waiting).toMatchObject({ seqs: [0] });
});

test('more who wait than the bound are told to go elsewhere', async () => {
  const { primary, reads, timers, turn } = heldPrimary();
  const asks = Array.from({ length: leaseWaitersMax }, () => reads.ask());
  await expect(reads.ask()).rejects.toMatchObject({ code: 'overloaded' });
  primary.reads[0]?.answer();
  await turn();
  timers.fire(5);
  await turn();
  primary.reads[1]?.answer();
  await Promise.all(asks);
  await turn();
  timers.fire(5);
  await turn();
  const again = reads.ask();
  primary.reads[2]?.answer();
  await again;
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deliverRows } from './deliver-rows.ts';

interface Row {
  readonly seq: number;
  readonly subject: string;
}

const never = new AbortController().signal;

test('those of one thing arrive in order, whatever else is under way and however long each takes', async () => {
  const rows = fc.array(fc.record({ subject: fc.constantFrom('a', 'b', 'c'), turns: fc.nat(5) }), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 8 }), async (drawn, atOnceMax) => {
      const arrived: Row[] = [];
      let atOnce = 0;
      let atOnceSeen = 0;
      const all = drawn.map(({ subject, turns }, at) => ({ seq: at + 1, subject, turns }));
      const outcome = await deliverRows(all, {
        atOnceMax,
        signal: never,
        deliver: async (row) => {
          atOnce += 1;
          atOnceSeen = Math.max(atOnceSeen, atOnce);
          for (let turn = 0; turn < row.turns; turn += 1) await Promise.resolve();
          arrived.push(row);
          atOnce -= 1;
          return undefined;
        },
      });
      expect(outcome).toEqual({ failed: undefined, done: all.length });
      expect(atOnceSeen).toBeLessThanOrEqual(atOnceMax);
      for (const subject of ['a', 'b', 'c']) {
        const seqs = arrived.filter((row) => row.subject === subject).map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 200 },
  );
});

test('after one that fails nothing of the same thing is delivered, and what is done ends before it', async () => {
  const subjects = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(subjects, fc.nat(29), fc.integer({ min: 1, max: 8 }), async (drawn, nth, atOnceMax) => {
      const rows = drawn.map((subject, at) => ({ seq: at + 1, subject }));
      const bad = rows[nth % rows.length];
      if (bad === undefined) return;
      const arrived: Row[] = [];
      const { failed, done } = await deliverRows(rows, {
        atOnceMax,
        signal: never,
        deliver: async (row) => {
          await Promise.resolve();
          if (row === bad) return 'refused';
          arrived.push(row);
          return undefined;
        },
      });
      // Everything before the first hole has arrived: a place that is written there skips nothing.
      for (const row of rows.slice(0, done)) expect(arrived).toContain(row);
      expect(arrived.some((row) => row.subject === bad.subject && row.seq > bad.seq)).toBe(false);
      if (failed !== undefined) expect(rows[failed.index]).toBe(bad);
      expect(done).toBeLessThan(rows.length);
    }),
    { numRuns: 200 },
  );
});

test('once it is stopped nothing further begins', async () => {
  const controller = new AbortController();
  const arrived: number[] = [];
  const rows = [1, 2, 3, 4].map((seq) => ({ seq, subject: 'a' }));
  const { failed, done } = await deliverRows(rows, {
    atOnceMax: 2,
    signal: controller.signal,
    deliver: async ({ seq }) => {
      arrived.push(seq);
      if (seq === 2) controller.abort();
      return undefined;
    },
  });
  expect([failed, done, arrived]).toEqual([undefined, 2, [1, 2]]);
});

/** The flaw that the first test is there for: nobody waits for the event of the same thing before. */
const planted: typeof deliverRows = async (rows, { deliver }) => {
  await Promise.all(rows.map((row) => deliver(row)));
  return { failed: undefined, done: rows.length };
};

test('a delivery that waits for no one of the same thing is found out', async () => {
  const arrived: number[] = [];
  const rows = [5, 0].map((turns, at) => ({ seq: at + 1, subject: 'a', turns }));
  for (const run of [deliverRows, planted]) {
    await run(rows, {
      atOnceMax: 8,
      signal: never,
      deliver: async ({ seq, turns }) => {
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        arrived.push(seq);
        return undefined;
      },
    });
  }
  expect(arrived).toEqual([1, 2, 2, 1]);
});

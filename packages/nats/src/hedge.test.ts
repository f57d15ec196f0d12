import { systemTimers } from '@keyswarm/verifier/timers';
import { describe, expect, test } from 'vitest';
import { type Hedged, hedge } from './hedge.ts';

const never = () => new Promise<number>(() => {});
const says = (answer: number) => () => Promise.resolve(answer);
const fails = (why: string) => () => Promise.reject(new Error(why));
const signal = new AbortController().signal;

/** Answers are ages: small is good. */
const ask = (ways: Pick<Hedged<number>, 'first' | 'second'>, delayMs = 0, until = signal, msMax = 60_000) =>
  hedge(
    { ...ways, timers: systemTimers, delayMs, msMax, isGood: (age) => age <= 10, isBetter: (a, b) => a < b },
    until,
  );

describe('of two ways', () => {
  test('the second is not asked when the first answers well in time', async () => {
    let asked = 0;
    const second = async () => {
      asked += 1;
      return asked;
    };
    expect(await ask({ first: says(5), second }, 60_000)).toBe(5);
    expect(asked).toBe(0);
  });

  test('the second answers for a first that fails, is silent or late', async () => {
    expect(await ask({ first: fails('away'), second: says(7) }, 60_000)).toBe(7);
    expect(await ask({ first: never, second: says(7) }, 5)).toBe(7);
    expect(await ask({ first: never, second: says(7) })).toBe(7);
  });

  test('a poor answer is taken only when there is no better one', async () => {
    expect(await ask({ first: says(5000), second: says(7) }, 60_000)).toBe(7);
    expect(await ask({ first: says(5000), second: says(400) }, 60_000)).toBe(400);
    expect(await ask({ first: says(400), second: says(5000) })).toBe(400);
    expect(await ask({ first: says(5000), second: fails('away') })).toBe(5000);
  });

  test('the word of the second counts when both fail', async () => {
    await expect(ask({ first: fails('broker'), second: fails('relay') })).rejects.toThrow('relay');
  });

  test('both are aborted once one has answered', async () => {
    const seen: AbortSignal[] = [];
    const first = (until: AbortSignal) => {
      seen.push(until);
      return never();
    };
    await ask({ first, second: says(1) });
    expect(seen.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('one that hangs is not waited for without end when the other has failed', async () => {
    await expect(ask({ first: never, second: fails('away') }, 0, signal, 5)).rejects.toThrow(
      'no answer in 5 ms',
    );
    await expect(ask({ first: fails('away'), second: never }, 0, signal, 5)).rejects.toThrow(
      'no answer in 5 ms',
    );
  });

  test('neither is waited for when the asker gives up, though they do not heed it', async () => {
    const stop = new AbortController();
    const asked = ask({ first: never, second: never }, 0, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(asked).rejects.toThrow('stopped');
    await expect(ask({ first: never, second: never }, 0, stop.signal)).rejects.toThrow('stopped');
  });
});

import type { Timers } from '@keyswarm/verifier/timers';

export interface Hedged<Answer> {
  readonly timers: Timers;
  readonly first: (signal: AbortSignal) => Promise<Answer>;
  /** Begun when the first has failed or has not answered in `delayMs`. */
  readonly second: (signal: AbortSignal) => Promise<Answer>;
  /** 0 begins both at once. */
  readonly delayMs: number;
  /** Both together have this long: one that hangs may not hold up its asker when the other has failed. */
  readonly msMax: number;
  /** Is it worth having without waiting for the other? */
  readonly isGood: (answer: Answer) => boolean;
  readonly isBetter: (a: Answer, b: Answer) => boolean;
}

/**
 * Asks one way, and another way beside it when the first is late, fails or gives a poor answer. Resolves with the
 * first good answer, else with the better of two; rejects with what the second way said when both fail. What is no
 * longer waited for is aborted.
 */
export async function hedge<Answer>(asked: Hedged<Answer>, signal: AbortSignal): Promise<Answer> {
  const settled = new AbortController();
  const both = AbortSignal.any([signal, settled.signal]);
  const begin = Promise.withResolvers<void>();
  const cancel = asked.delayMs === 0 ? begin.resolve() : asked.timers.after(asked.delayMs, begin.resolve);
  const good = Promise.withResolvers<Answer>();
  const leg = async (ask: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> => {
    const answer = await ask(both);
    if (asked.isGood(answer)) good.resolve(answer);
    else begin.resolve();
    return answer;
  };
  const first = leg(asked.first);
  first.catch(() => begin.resolve());
  const second = begin.promise.then(() => (settled.signal.aborted ? first : leg(asked.second)));
  // Neither way has to heed its signal.
  const given = Promise.withResolvers<never>();
  const giveUp = () => given.reject(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  const late = () => given.reject(new Error(`no answer in ${asked.msMax} ms`));
  const cancelLate = asked.timers.after(asked.msMax, late);
  try {
    return await Promise.race([given.promise, good.promise, better([first, second], asked.isBetter)]);
  } finally {
    cancelLate();
    signal.removeEventListener('abort', giveUp);
    cancel?.();
    settled.abort();
    begin.resolve();
    second.catch(() => undefined);
  }
}

async function better<Answer>(
  legs: readonly [Promise<Answer>, Promise<Answer>],
  isBetter: (a: Answer, b: Answer) => boolean,
): Promise<Answer> {
  const [first, second] = await Promise.allSettled(legs);
  if (second.status === 'rejected') {
    if (first.status === 'fulfilled') return first.value;
    throw second.reason;
  }
  if (first.status === 'rejected') return second.value;
  return isBetter(first.value, second.value) ? first.value : second.value;
}

/** Ends what a timer began. Calling it again, or after the timer ran, does nothing. */
export type CancelTimer = () => void;

/** The only way by which the server's rooms wait. `after` and `every` never keep the process alive; a sleep does. */
export interface Timers {
  /** Runs `run` once, `delayMs` from now. */
  after(delayMs: number, run: () => void): CancelTimer;
  /** Runs `run` every `periodMs`, first one period from now. */
  every(periodMs: number, run: () => void): CancelTimer;
  /** Resolves `delayMs` from now; rejects with the signal's reason when that aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** What `setTimeout` can count to; a longer delay would fire at once. */
const delayMsMax = 2 ** 31 - 1;

const boundedDelay = (delayMs: number): number => Math.min(Math.max(0, delayMs), delayMsMax);

function after(delayMs: number, run: () => void): CancelTimer {
  const timer = setTimeout(run, boundedDelay(delayMs));
  timer.unref();
  return () => clearTimeout(timer);
}

function every(periodMs: number, run: () => void): CancelTimer {
  const timer = setInterval(run, boundedDelay(periodMs));
  timer.unref();
  return () => clearInterval(timer);
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    // Unlike the others, a sleeper is awaited: were it not to hold the process, an exit would cut the wait short.
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, boundedDelay(delayMs));
    signal?.addEventListener('abort', abort, { once: true });
  });
}

export const systemTimers: Timers = Object.freeze({ after, every, sleep });

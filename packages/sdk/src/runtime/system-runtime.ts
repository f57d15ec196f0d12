import type { Runtime } from './runtime.ts';

/* The one file of this package that touches the clock, the timers and the random source of the platform. */

const setTimer = (delayMs: number, act: () => void): (() => void) => {
  const timer = setTimeout(act, delayMs);
  return () => clearTimeout(timer);
};

export const systemRuntime: Runtime = Object.freeze({
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  random: () => Math.random(),
  newIdempotencyKey: () => crypto.randomUUID(),
  newNonce: () => crypto.randomUUID(),
  setTimer,
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const stop = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = setTimer(delayMs, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      signal?.addEventListener('abort', stop, { once: true });
    });
  },
});

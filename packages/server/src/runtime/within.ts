import { systemTimers } from './timers.ts';

/** Resolves with the work, or when its time is up. */
export function within(timeoutMs: number, work: PromiseLike<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = systemTimers.after(timeoutMs, resolve);
    work.then(() => {
      cancel();
      resolve();
    }, reject);
  });
}

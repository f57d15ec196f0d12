import type { Timers } from '../runtime/timers.ts';

/**
 * Runs `run` when it is asked to: at once the first time, and then at most once every `pauseMs`, however often it is
 * asked. The last asking is never lost: it is followed by a run.
 */
export function paced(options: {
  readonly timers: Timers;
  readonly pauseMs: number;
  readonly run: () => void;
}): () => void {
  const { timers, pauseMs, run } = options;
  let isResting = false;
  let isAsked = false;
  const go = (): void => {
    isResting = true;
    isAsked = false;
    timers.after(pauseMs, () => {
      isResting = false;
      if (isAsked) go();
    });
    run();
  };
  return () => {
    if (isResting) isAsked = true;
    else go();
  };
}

/**
 * Runs `work` so that the first Ctrl-C only asks it to stop: what is in flight is finished and counted, and
 * the caller can say what was done. A second Ctrl-C ends the process at once, as it would have without this.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stop = () => {
    for (const signal of signals) process.removeListener(signal, stop);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.removeListener(signal, stop);
  }
}

/** 128 + SIGINT, as a shell reports it. */
export const exitInterrupted = 130;
/** 128 + SIGPIPE. */
export const exitPipeClosed = 141;

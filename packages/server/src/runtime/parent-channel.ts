/** The channel of a process to the one that started it. */
export interface ParentChannel<Up, Down> {
  /** Resolves once the message has left this process, or can't any more. */
  send(message: Up): Promise<void>;
  onMessage(run: (message: Down) => void): void;
  /** Runs when the other end is gone, however it went. */
  onClosed(run: () => void): void;
}

/** Undefined where this process was not started over a channel. */
export function parentChannel<Up extends object, Down>(): ParentChannel<Up, Down> | undefined {
  if (process.send === undefined) return undefined;
  return {
    send: (message) =>
      new Promise((resolve) => {
        if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
        else resolve();
      }),
    onMessage: (run) => void process.on('message', (message) => run(message as Down)),
    onClosed: (run) => void process.once('disconnect', run),
  };
}

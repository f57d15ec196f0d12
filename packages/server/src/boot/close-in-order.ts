import type { Log } from '../logging/log.ts';

export interface Closing {
  add(name: string, close: () => void | Promise<void>): void;
  /** Closes what was added, the last first. Runs once; who asks again waits for the same run. */
  run(): Promise<void>;
}

/** What has to be closed, in reverse of how it was opened. One part that fails to close keeps no other open. */
export function closeInOrder(log: Log): Closing {
  const parts: { readonly name: string; readonly close: () => void | Promise<void> }[] = [];
  let running: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      try {
        await part.close();
      } catch (error) {
        log.error({ part: part.name, err: error }, 'a part did not close');
      }
    }
  };
  return {
    add: (name, close) => void parts.push({ name, close }),
    run() {
      running ??= closeAll();
      return running;
    },
  };
}

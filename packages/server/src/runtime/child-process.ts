import { fork } from 'node:child_process';

/** How a process ended. It has one of the two, or neither if it could not be started. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process that this one started, and the channel to it. */
export interface ChildProcess<Down, Up> {
  readonly pid: number | undefined;
  /** What is sent to a process that is gone is dropped: its end is told by `onEnd`. */
  send(message: Down): void;
  onMessage(run: (message: Up) => void): void;
  /** Runs once, however the process ended. */
  onEnd(run: (end: ProcessEnd) => void): void;
  /** SIGKILL: nothing is finished, nothing is said. */
  kill(): void;
}

/** Starts a process. `label` is its argument, so that a list of processes tells them apart. */
export type StartChild<Down, Up> = (label: string) => ChildProcess<Down, Up>;

/**
 * Starts `entry` in the same Node with the same variables and outputs. Messages go as structured clones: as JSON a
 * figure that is not a number would arrive as null.
 */
export function childStarter<Down extends object, Up>(entry: URL): StartChild<Down, Up> {
  return (label) => {
    const child = fork(entry, [label], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return {
      pid: child.pid,
      send(message) {
        if (child.connected) child.send(message, () => {});
      },
      onMessage: (run) => void child.on('message', (message) => run(message as Up)),
      onEnd(run) {
        // One that could not be started has no exit, only an error; one that failed to take a message has both.
        let hasEnded = false;
        const end = (how: ProcessEnd) => {
          if (hasEnded) return;
          hasEnded = true;
          run(how);
        };
        child.on('exit', (code, signal) => end({ code, signal }));
        child.on('error', () => {
          if (child.pid === undefined) end({ code: null, signal: null });
        });
      },
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

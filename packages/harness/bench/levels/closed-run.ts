import { HttpLine } from './http-line.ts';
import { outcomeOf } from './open-run.ts';
import type { Workload } from './workload.ts';

export interface ClosedRunOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface ClosedTally {
  readonly ok: number;
  readonly other: number;
  readonly seconds: number;
}

/**
 * The closed loop: each connection asks again as soon as it is answered. It says what comes out at a given number of
 * requests under way, and nothing about latency: a slow server is asked less.
 */
export function runClosed(options: ClosedRunOptions, workload: Workload): Promise<ClosedTally> {
  const beganMs = performance.now();
  const untilMs = beganMs + options.seconds * 1000;
  const counts = { ok: 0, other: 0 };
  const lines = Array.from({ length: options.connections }, () => new HttpLine(options));
  const run = (line: HttpLine): Promise<void> =>
    new Promise((resolve) => {
      const again = (): void => {
        if (performance.now() >= untilMs) {
          resolve();
          return;
        }
        const ask = workload.next();
        line.ask(ask.request, (reply) => {
          const isOk = outcomeOf(ask, reply) === 'ok';
          if (isOk) workload.note(ask, reply.text);
          if (performance.now() < untilMs) counts[isOk ? 'ok' : 'other'] += 1;
          // A server that refuses at once would be asked as fast as this process can; a moment's rest is enough.
          if (reply.status === 0 || reply.status >= 400) setTimeout(again, 10);
          else again();
        });
      };
      again();
    });
  return Promise.all(lines.map(run)).then(() => {
    for (const line of lines) line.close();
    return { ...counts, seconds: options.seconds };
  });
}

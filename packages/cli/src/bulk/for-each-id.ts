import type { Context } from '../context.ts';
import { exitInterrupted, interruptible } from '../io/interrupt.ts';
import { count, startProgress } from '../io/progress.ts';
import { runChunks } from './run-chunks.ts';

const callsUnderWay = 8;

export interface EachId<Reply extends object> {
  readonly verb: string;
  readonly ids: readonly string[];
  call(id: string): Promise<Reply>;
  human(reply: Reply): string;
}

/** One call for each id, a few at once, printed in the order given. The first fault ends it. */
export async function forEachId<Reply extends object>(
  { terminal, json, nowMs }: Context,
  { verb, ids, call, human }: EachId<Reply>,
): Promise<number> {
  const progress = startProgress(terminal, { label: verb, total: ids.length, nowMs });
  let done = 0;
  const outcome = await interruptible((signal) =>
    runChunks<string, Reply>({
      items: ids,
      chunkItems: 1,
      concurrency: callsUnderWay,
      signal,
      send: ([id = '']) => call(id),
      take: async (reply) => {
        const gap = done > 0 ? '\n' : '';
        await terminal.print(json ? JSON.stringify(reply) : gap + human(reply));
        done += 1;
        progress.at(done);
      },
    }),
  );
  if (outcome.interrupted) terminal.say(`interrupted: ${verb} ${count(done)} of ${count(ids.length)}`);
  else if (ids.length > 1) terminal.say(`${verb} ${count(done)}`);
  return outcome.interrupted ? exitInterrupted : 0;
}

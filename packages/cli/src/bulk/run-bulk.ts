import { type FaultCode, faultRegistry, isFaultCode } from '@keyswarm/core';
import type { Context } from '../context.ts';
import { exitInterrupted, interruptible } from '../io/interrupt.ts';
import { count, startProgress } from '../io/progress.ts';
import { formatDurationMs } from '../parse/duration.ts';
import type { RecordSink } from './record-sink.ts';
import { BulkFailure, runChunks } from './run-chunks.ts';

/** What the server takes in one bulk request. */
const chunkItems = 1_000;
/** A few at once hide the way to the server and back; more would only queue there. */
const chunksUnderWay = 3;

interface Refused {
  readonly error: { readonly code: string; readonly detail: string; readonly field?: string };
}

export interface BulkWork<Item, Result extends object> {
  /** What was done to an item, for the last line: `issued`. */
  readonly verb: string;
  readonly items: Iterable<Item> | AsyncIterable<Item>;
  /** Undefined: not known before the end. */
  readonly total: number | undefined;
  readonly sink: RecordSink;
  /** Results in the order of the items. */
  readonly send: (items: readonly Item[]) => Promise<readonly (Result | Refused)[]>;
  /** What is written for a result; undefined: nothing. */
  readonly record: (result: Result | Refused, item: Item) => object | undefined;
}

/**
 * Sends the items in bulk requests, writes the results in order, shows progress, and says at the end what was
 * done, also when it is stopped half way. Returns the exit code: that of the first refused item, if there is one.
 */
export async function runBulk<Item, Result extends object>(
  context: Context,
  work: BulkWork<Item, Result>,
): Promise<number> {
  const { terminal, nowMs } = context;
  const startedMs = nowMs();
  const progress = startProgress(terminal, { label: work.verb, total: work.total, nowMs });
  const refused = new Map<string, number>();
  let accepted = 0;
  const take = async (results: readonly (Result | Refused)[], items: readonly Item[]) => {
    for (const [index, item] of items.entries()) {
      const result = results[index];
      if (result === undefined) throw new Error('the server answered fewer items than it was sent');
      if (isRefused(result)) refused.set(result.error.code, (refused.get(result.error.code) ?? 0) + 1);
      else accepted += 1;
      const record = work.record(result, item);
      if (record !== undefined) await work.sink.write(record);
    }
    progress.at(accepted + sumOf(refused));
  };
  const summary = () => {
    const seconds = formatDurationMs(nowMs() - startedMs);
    const refusals = [...refused].map(([code, times]) => `, ${count(times)} refused (${code})`).join('');
    const where = work.sink.path === undefined ? '' : `; results in ${work.sink.path}`;
    return `${work.verb} ${count(accepted)}${refusals} in ${seconds}${where}`;
  };
  try {
    const outcome = await interruptible((signal) =>
      runChunks({
        items: work.items,
        chunkItems,
        concurrency: chunksUnderWay,
        signal,
        send: work.send,
        take,
      }),
    );
    terminal.say(outcome.interrupted ? `interrupted: ${summary()}` : summary());
    return outcome.interrupted ? exitInterrupted : exitCodeOfRefusals(refused);
  } catch (error) {
    if (error instanceof BulkFailure && accepted > 0) terminal.say(`stopped: ${summary()}`);
    throw error;
  } finally {
    await work.sink.close();
  }
}

export function isRefused(result: object): result is Refused {
  return 'error' in result;
}

function exitCodeOfRefusals(refused: ReadonlyMap<string, number>): number {
  const [first] = refused.keys();
  if (first === undefined) return 0;
  return isFaultCode(first) ? faultRegistry[first satisfies FaultCode].exit : 7;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, each) => sum + each, 0);
}

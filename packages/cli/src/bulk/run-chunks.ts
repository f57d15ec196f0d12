/*
 * Bulk work: items are cut into chunks, a few chunks are under way at once, and results are handed on in the
 * order of the items. Three things may end it early: a fault, an interruption, and a reader that went away.
 * In each case no further chunk is sent, but those under way are waited for and what they bring is still handed
 * on, because a reply may hold secrets that are shown nowhere else.
 */

export interface ChunkWork<Item, Result> {
  readonly items: AsyncIterable<Item> | Iterable<Item>;
  readonly chunkItems: number;
  /** Chunks under way at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  send(chunk: readonly Item[]): Promise<Result>;
  /** Called once a chunk, in order. */
  take(result: Result, chunk: readonly Item[]): Promise<void>;
}

export interface ChunkOutcome {
  /** Items whose results were handed on. */
  readonly done: number;
  readonly interrupted: boolean;
}

interface UnderWay<Item, Result> {
  readonly chunk: readonly Item[];
  readonly reply: Promise<PromiseSettledResult<Result>>;
}

export async function runChunks<Item, Result>(work: ChunkWork<Item, Result>): Promise<ChunkOutcome> {
  const underWay: UnderWay<Item, Result>[] = [];
  const failures: unknown[] = [];
  let done = 0;
  const settleOldest = async (): Promise<void> => {
    const oldest = underWay.shift();
    if (oldest === undefined) return;
    const reply = await oldest.reply;
    if (reply.status === 'rejected') failures.push(reply.reason);
    else {
      await work.take(reply.value, oldest.chunk).then(
        () => {
          done += oldest.chunk.length;
        },
        (error: unknown) => failures.push(error),
      );
    }
  };
  for await (const chunk of chunksOf(work.items, work.chunkItems)) {
    if (work.signal.aborted || failures.length > 0) break;
    underWay.push({ chunk, reply: settled(work.send(chunk)) });
    if (underWay.length >= work.concurrency) await settleOldest();
  }
  while (underWay.length > 0) await settleOldest();
  if (failures.length > 0) throw new BulkFailure(done, failures[0]);
  return { done, interrupted: work.signal.aborted };
}

/** What ended bulk work, and how much of it was done before. */
export class BulkFailure extends Error {
  override readonly name = 'BulkFailure';
  readonly done: number;

  constructor(done: number, cause: unknown) {
    super(`stopped after ${done}`, { cause });
    this.done = done;
  }
}

/** Settles at once, so that a chunk which fails while an older one is awaited is not an unhandled rejection. */
async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([promise]);
  return result;
}

async function* chunksOf<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  chunkItems: number,
): AsyncGenerator<readonly Item[]> {
  let chunk: Item[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length === chunkItems) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}

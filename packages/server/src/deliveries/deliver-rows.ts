/*
 * Some rows of one shard, to one consumer: several at once, and those of one thing one after the other, in the order
 * of the feed. The first that fails stops what has not begun; what has is waited for. Rows before the first one that
 * was not delivered are done; some behind it may have been delivered as well, and will be again.
 */

export interface Deliverable {
  readonly seq: number;
  /** What the order is kept for. */
  readonly subject: string;
}

export interface RowsOutcome<Failure> {
  /** The first row that was not delivered, and why. Undefined: all were, or it was stopped. */
  readonly failed: { readonly index: number; readonly failure: Failure } | undefined;
  /** Rows from the first on that are delivered without a hole. */
  readonly done: number;
}

export interface RowsOptions<Row, Failure> {
  /** Undefined: delivered. */
  readonly deliver: (row: Row) => Promise<Failure | undefined>;
  readonly atOnceMax: number;
  /** Hears how many rows from the first on are delivered, each time that it grows. */
  readonly onProgress?: (done: number) => void;
  readonly signal: AbortSignal;
}

export async function deliverRows<Row extends Deliverable, Failure>(
  rows: readonly Row[],
  options: RowsOptions<Row, Failure>,
): Promise<RowsOutcome<Failure>> {
  const { deliver, atOnceMax, onProgress, signal } = options;
  const isDone: boolean[] = rows.map(() => false);
  const failures = new Map<number, Failure>();
  const lastOf = new Map<string, Promise<void>>();
  const underWay = new Set<Promise<void>>();
  let done = 0;
  const mayBegin = (): boolean => failures.size === 0 && !signal.aborted;

  const run = async (row: Row, index: number, before: Promise<void> | undefined): Promise<void> => {
    await before;
    if (!mayBegin()) return;
    const failure = await deliver(row);
    if (failure !== undefined) {
      failures.set(index, failure);
      return;
    }
    isDone[index] = true;
    const doneBefore = done;
    while (isDone[done]) done += 1;
    if (done > doneBefore) onProgress?.(done);
  };

  for (const [index, row] of rows.entries()) {
    while (underWay.size >= atOnceMax) await Promise.race(underWay);
    if (!mayBegin()) break;
    const task = run(row, index, lastOf.get(row.subject)).finally(() => underWay.delete(task));
    underWay.add(task);
    lastOf.set(row.subject, task);
  }
  await Promise.all(underWay);
  const first = Math.min(...failures.keys());
  const failure = failures.get(first);
  // Where an earlier row was not begun because a later one had failed, it has not failed itself.
  return { failed: failure !== undefined && first === done ? { index: first, failure } : undefined, done };
}

import type { Store } from '../../storage/store.ts';

/*
 * What makes a log a feed, as checks that any log can be put to: they throw what they found broken. The suite
 * runs them on the feed of the house, and on one with a planted bug, which they have to catch.
 */

export interface FeedWriter {
  /** Writes one row of shard 0, and resolves with what a reader will know it by once it is committed. */
  write(): Promise<string>;
}

export interface FeedPoller {
  /** What is new since the last call, in the feed's order. */
  poll(): Promise<readonly string[]>;
}

export interface LogUnderTest {
  openWriter(store: Store): Promise<FeedWriter>;
  openPoller(store: Store): Promise<FeedPoller>;
}

export class PromiseBroken extends Error {
  override readonly name = 'PromiseBroken';
}

/** `written` and `seen` hold the same, each once. */
export function expectAllSeen(written: readonly string[], seen: readonly string[]): void {
  const missing = written.filter((row) => !seen.includes(row));
  if (missing.length > 0) throw new PromiseBroken(`${missing.length} committed rows were never seen`);
  if (new Set(seen).size !== seen.length) throw new PromiseBroken('a row was seen twice');
  if (seen.length !== written.length) throw new PromiseBroken('rows were seen that nobody wrote');
}

/** Many writers, and a reader that never rests. */
export async function seesAllUnderManyWriters(
  log: LogUnderTest,
  stores: { readonly writers: readonly Store[]; readonly reader: Store },
  rowsPerWriter: number,
): Promise<void> {
  const poller = await log.openPoller(stores.reader);
  const writers = await Promise.all(stores.writers.map((store) => log.openWriter(store)));
  const seen: string[] = [];
  let writing = true;
  const reading = (async () => {
    while (writing) seen.push(...(await poller.poll()));
    seen.push(...(await poller.poll()));
  })();
  const written = await Promise.all(
    writers.flatMap((writer) => Array.from({ length: rowsPerWriter }, () => writer.write())),
  );
  writing = false;
  await reading;
  expectAllSeen(written, seen);
}

export interface HeldCommit {
  /** The writer whose COMMIT is held once its row is numbered. */
  readonly held: Store;
  readonly other: Store;
  readonly reader: Store;
  /** Resolves when the held writer stands before its COMMIT. */
  readonly stands: Promise<void>;
  /** Lets it commit. */
  release(): void;
  /** Resolves when some session waits for a lock. */
  untilBlocked(): Promise<void>;
}

/**
 * One writer takes its number and is held before COMMIT; another comes after it; the reader reads; then the first
 * one commits. If the second one could commit before the first, its higher number has led the reader past a row
 * that it will never ask for again.
 */
export async function seesARowThatCommitsLate(log: LogUnderTest, bench: HeldCommit): Promise<void> {
  const poller = await log.openPoller(bench.reader);
  const slow = await log.openWriter(bench.held);
  const quick = await log.openWriter(bench.other);
  const first = slow.write();
  await bench.stands;
  const second = quick.write();
  await Promise.race([second, bench.untilBlocked()]);
  const seen = [...(await poller.poll())];
  bench.release();
  const written = [await first, await second];
  seen.push(...(await poller.poll()));
  expectAllSeen(written, seen);
}

import { Fault, type FeedRow } from '@keyswarm/core';
import type { Clock } from '../runtime/clock.ts';
import type { Timers } from '../runtime/timers.ts';
import { SqlError } from '../storage/sql-error.ts';
import type { Head } from '../storage/statements/append-feed.ts';
import type { Store } from '../storage/store.ts';
import { type Attempt, attemptBatch } from './attempt-batch.ts';
import { BatchRace } from './batch-writes.ts';
import { faultOfSql, isUniqueViolation } from './fault-of-sql.ts';
import { findCommitted } from './find-committed.ts';
import type { LaneEntry } from './lane-entry.ts';
import type { LaneLimits } from './lane-limits.ts';
import type { LaneObserver } from './lane-observer.ts';

/*
 * Runs one batch to its end: every entry is settled, once, whatever happens.
 *
 *   committed              → the rows go to `onCommitted`, then each caller gets its own outcome
 *   lost a race for a row  → run again, with locks; the other transaction's effects are visible by then
 *   unique violation       → run again once (what was just inserted by another is read now), then one by one
 *   SQL was refused        → one by one, so that the write that is to blame is refused alone
 *   link broke at COMMIT   → look whether it took place; then settle as committed, or run again
 *   store unavailable      → all are refused, nothing has happened: callers may repeat
 */

export interface BatchRunner {
  readonly store: Store;
  readonly shards: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly limits: LaneLimits;
  readonly observer: LaneObserver;
  readonly onCommitted: (rows: readonly FeedRow[]) => void;
  /** Where this process last left each shard. Only ever a guess: others write, too. */
  readonly knownHeads: Map<number, Head>;
}

/** Never rejects. The number of feed rows that were written. */
export async function runBatch(
  runner: BatchRunner,
  shard: number,
  entries: readonly LaneEntry[],
): Promise<number> {
  const end = await runToEnd(runner, shard, entries);
  if (end.kind === 'committed') return settle(runner, shard, entries, end.attempt);
  if (entries.length > 1 && end.kind === 'apart') {
    runner.observer.rerun(shard, 'alone');
    let rows = 0;
    for (const entry of entries) rows += await runBatch(runner, shard, [entry]);
    return rows;
  }
  const error = end.error instanceof SqlError ? faultOfSql(end.error) : end.error;
  for (const entry of entries) entry.settle({ kind: 'refused', error });
  return 0;
}

type BatchEnd =
  | { readonly kind: 'committed'; readonly attempt: Attempt }
  /** One of the entries is to blame, and which one shows when each runs alone. */
  | { readonly kind: 'apart'; readonly error: unknown }
  /** Nobody of the batch is to blame. */
  | { readonly kind: 'failed'; readonly error: unknown };

async function runToEnd(
  runner: BatchRunner,
  shard: number,
  entries: readonly LaneEntry[],
): Promise<BatchEnd> {
  let lockAll = false;
  let uniqueViolations = 0;
  let last: unknown;
  for (let run = 1; run <= runner.limits.attemptsMax; run += 1) {
    // Set by the work, read after its COMMIT failed: what would have been, had it gone well.
    let attempt: Attempt | undefined;
    try {
      attempt = await transact(runner, shard, entries, lockAll, (made) => {
        attempt = made;
      });
      return { kind: 'committed', attempt };
    } catch (error) {
      last = error;
      if (error instanceof BatchRace) {
        lockAll = true;
        runner.observer.rerun(shard, error.reason);
      } else if (isUniqueViolation(error) && uniqueViolations === 0) {
        uniqueViolations += 1;
        runner.observer.rerun(shard, 'unique_violation');
      } else if (error instanceof Fault && error.code === 'outcome_unknown') {
        const committed = await findCommitted(runner, shard, attempt?.head ?? null);
        if (committed === 'yes' && attempt !== undefined) return { kind: 'committed', attempt };
        if (committed === 'unreachable') return { kind: 'failed', error };
        runner.observer.rerun(shard, 'outcome_unknown');
      } else {
        return { kind: error instanceof Fault ? 'failed' : 'apart', error };
      }
    }
  }
  if (last instanceof SqlError) return { kind: 'apart', error: last };
  return { kind: entries.length > 1 ? 'apart' : 'failed', error: tooManyRaces(runner, last) };
}

async function transact(
  runner: BatchRunner,
  shard: number,
  entries: readonly LaneEntry[],
  lockAll: boolean,
  note: (attempt: Attempt) => void,
): Promise<Attempt> {
  const { store, shards, timers, limits } = runner;
  const deadline = new AbortController();
  const cancel = timers.after(limits.transactionMsMax, () => {
    const detail = 'The store did not finish the write in its time.';
    deadline.abort(new Fault('store_unavailable', { detail, retryAfterMs: limits.retryAfterMs }));
  });
  try {
    return await store.transaction(
      async (tx) => {
        const knownHead = runner.knownHeads.get(shard);
        const context = { shard, shards, lockAll, knownHead, replyKeptMs: limits.replyKeptMs };
        const attempt = await attemptBatch(tx, entries, context);
        note(attempt);
        return attempt;
      },
      { signal: deadline.signal },
    );
  } finally {
    cancel();
  }
}

/** This process's own table first, then the callers: whoever is told of a change can use it here at once. */
function settle(runner: BatchRunner, shard: number, entries: readonly LaneEntry[], attempt: Attempt): number {
  if (attempt.head !== null) runner.knownHeads.set(shard, attempt.head);
  if (attempt.rows.length > 0) {
    try {
      runner.onCommitted(attempt.rows);
    } catch (error) {
      runner.observer.shortcutFailed(shard, error);
    }
  }
  for (const [at, entry] of entries.entries()) {
    const outcome = attempt.outcomes[at];
    if (outcome !== undefined) entry.settle(outcome);
  }
  return attempt.rows.length;
}

function tooManyRaces(runner: BatchRunner, cause: unknown): Fault {
  const detail = 'The write met others of the same thing too often.';
  return new Fault('overloaded', { detail, retryAfterMs: runner.limits.retryAfterMs, cause });
}

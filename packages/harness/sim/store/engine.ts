import { Fault } from '@keyswarm/core';
import { SqlError } from '@keyswarm/server/rooms/storage/sql-error';
import type { Row, Statement } from '@keyswarm/server/rooms/storage/store';
import type { Scheduler } from '../kernel/scheduler.ts';
import { Locks } from './locks.ts';
import { Params } from './params.ts';
import { type Commit, SimTransaction } from './sim-transaction.ts';
import { handlerOf } from './statements/handlers.ts';
import { newTables, type Tables } from './tables.ts';

/*
 * A database in memory that does what PostgreSQL does with the statements of this product, by their names: read
 * committed (each statement sees what was committed before it ran, and what its own transaction wrote), repeatable read
 * for snapshots, row locks that are waited for in order, unique keys that wait for whoever is inserting the same one,
 * deadlocks found and broken (40P01). A COMMIT takes effect in one instant.
 *
 * The text of the statements is not looked at: what the SQL says is what these handlers do, and that the two agree rests on
 * the conformance suites, which run the SQL on real engines. What is simulated is everything around it: order, waiting,
 * conflicts, lost answers, an engine that is away.
 */
/** As the server sets it for its sessions. */
const statementMsMax = 10_000;

export class Engine {
  readonly tables: Tables = newTables();
  readonly locks = new Locks((run) => this.#scheduler.schedule(0, run));
  readonly #scheduler: Scheduler;
  readonly #open = new Set<SimTransaction>();
  readonly #listeners = new Set<(commit: Commit) => void>();
  #wallAheadMs: number;

  constructor(scheduler: Scheduler, wallMs: number) {
    this.#scheduler = scheduler;
    this.#wallAheadMs = wallMs - scheduler.nowMs;
  }

  /** The engine's wall clock, whole Unix ms. */
  wallMs(): number {
    return Math.floor(this.#scheduler.nowMs + this.#wallAheadMs);
  }

  /** By how much that is ahead of the time of the simulation. */
  get wallAheadMs(): number {
    return this.#wallAheadMs;
  }

  /** Another machine is the primary, and its clock is not quite the same. */
  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  /** Told of each transaction as it takes effect; the returned function ends that. */
  onCommit(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  begin(options: { readonly isolation: 'read committed' | 'repeatable read' }): SimTransaction {
    const tx = new SimTransaction(this.tables, this.locks, options.isolation);
    this.#open.add(tx);
    return tx;
  }

  /** Runs a statement: waits for the rows that it locks, then does all of it at once. */
  async run(tx: SimTransaction, statement: Statement, params: readonly unknown[]): Promise<readonly Row[]> {
    tx.assertOpen();
    const handler = handlerOf(statement);
    const given = new Params(params);
    try {
      for (const lock of handler.locks?.(tx, given) ?? []) {
        const waiting = this.locks.take(tx, lock);
        if (waiting !== undefined) await this.#waitBounded(tx, waiting);
        tx.assertOpen();
      }
      return handler.run(tx, given, this.wallMs(), statement) as readonly Row[];
    } catch (error) {
      if (error instanceof SqlError) tx.refuse(error);
      throw error;
    }
  }

  /** What the transaction wrote is there from now on. */
  commit(tx: SimTransaction): void {
    tx.assertOpen();
    const commit = tx.apply(this.#scheduler.nowMs);
    this.#end(tx);
    if (commit.writes.length > 0) for (const listener of this.#listeners) listener(commit);
  }

  rollback(tx: SimTransaction): void {
    if (!this.#open.has(tx)) return;
    tx.drop();
    this.#end(tx);
  }

  /** The engine stops, or ends its sessions: what was not committed never happened. */
  rollbackAll(): void {
    for (const tx of [...this.#open]) this.rollback(tx);
  }

  /** A statement that waits for a lock ends at its bound, as `statement_timeout` has it. */
  async #waitBounded(tx: SimTransaction, waiting: Promise<void>): Promise<void> {
    let isLate = false;
    const cancel = this.#scheduler.schedule(statementMsMax, () => {
      isLate = true;
      this.rollback(tx);
    });
    try {
      await waiting;
    } catch (error) {
      throw isLate ? new Fault('overloaded', { detail: 'The store did not answer in its time.' }) : error;
    } finally {
      cancel();
    }
  }

  #end(tx: SimTransaction): void {
    this.#open.delete(tx);
    this.locks.release(tx);
  }
}

import { Fault } from '@keyswarm/core';
import { Pool, type PoolClient, type PoolConfig } from 'pg';
import type { Random } from '../../runtime/random.ts';
import { unitInterval } from '../../runtime/random.ts';
import type { Timers } from '../../runtime/timers.ts';
import { SqlError } from '../sql-error.ts';
import type { Queryable, Row, Statement, Store, TransactionOptions } from '../store.ts';
import { valueTypes } from '../wire/decode-value.ts';
import { mapFailure, unavailable } from './map-failure.ts';
import { PooledTransaction } from './pooled-transaction.ts';
import { runStatement } from './run-statement.ts';

/*
 * The store over a pool of connections. Both engines stand on it: PostgreSQL over TCP, PGlite over a link into
 * its worker thread that speaks the same protocol. So values, errors, retries and the meaning of a broken link
 * are decided once, and can't differ between an embedded store and a served one.
 *
 * What it owns:
 *  - the bound. A connection is waited for by at most `waitersMax` callers, each for at most
 *    `connectTimeoutMs`; whoever comes beyond that is told to come later, at once.
 *  - the second try. A transaction that the engine gave up (40001, 40P01) runs again, after a pause that doubles
 *    and is drawn at random, so that two that met don't meet again. After `attemptsMax` the caller gets
 *    `overloaded`: an endless retry would turn contention into a standstill.
 *  - the truth about a broken link. Before COMMIT was sent nothing happened (`store_unavailable`); after that
 *    nobody can tell until somebody looks (`outcome_unknown`).
 *
 * It does not retry a broken link: whether a request may be sent again is known only where its idempotency is.
 */

export interface PooledStoreOptions {
  /** How to reach the engine; names, types and bounds are filled in here. */
  readonly connection: PoolConfig;
  readonly connectionsMax: number;
  /** Callers that may wait for a connection before further ones are refused. */
  readonly waitersMax: number;
  readonly connectTimeoutMs: number;
  /** How long one statement's answer is waited for. Longer than the engine's own bound, which speaks first. */
  readonly answerTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Connections are renewed at this age, so that they follow a primary that moved behind its name. */
  readonly lifetimeMs: number;
  readonly timers: Timers;
  readonly random: Random;
}

const attemptsMax = 6;
const pauseFirstMs = 4;
const pauseMaxMs = 200;

export class PooledStore implements Store {
  readonly #pool: Pool;
  readonly #options: PooledStoreOptions;
  #closed: Promise<void> | undefined;

  constructor(options: PooledStoreOptions) {
    this.#options = options;
    this.#pool = new Pool({
      ...options.connection,
      types: valueTypes,
      max: options.connectionsMax,
      connectionTimeoutMillis: options.connectTimeoutMs,
      query_timeout: options.answerTimeoutMs,
      idleTimeoutMillis: options.idleTimeoutMs,
      maxLifetimeSeconds: Math.ceil(options.lifetimeMs / 1000),
    });
    // A connection that dies is dropped by the pool, and whoever used it hears of it from its own statement.
    // Without a listener its `error` event would end the process.
    this.#pool.on('error', ignore);
    this.#pool.on('connect', (client) => client.on('error', ignore));
  }

  async query<R extends object = Row>(
    statement: Statement,
    params?: readonly unknown[],
  ): Promise<readonly R[]> {
    const client = await this.#acquire(undefined);
    let broken = true;
    try {
      const { rows } = await runStatement<R>(client, statement, params);
      broken = false;
      return rows;
    } catch (error) {
      const mapped = mapFailure(error, statement, mayWrite(statement.text));
      broken = mapped instanceof Fault;
      throw mapped;
    } finally {
      client.release(broken);
    }
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(work, options);
      } catch (error) {
        if (!(error instanceof SqlError && error.conflict)) throw error;
        if (attempt === attemptsMax) throw tooMuchConflict(error);
        await this.#options.timers.sleep(this.#pauseMs(attempt), options.signal);
      }
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#pool.end();
    return this.#closed;
  }

  async #attempt<T>(work: (tx: Queryable) => Promise<T>, options: TransactionOptions): Promise<T> {
    const client = await this.#acquire(options.signal);
    const transaction = new PooledTransaction(client, options);
    try {
      return await transaction.run(work);
    } finally {
      client.release(transaction.broken);
    }
  }

  async #acquire(signal: AbortSignal | undefined): Promise<PoolClient> {
    signal?.throwIfAborted();
    if (this.#closed !== undefined) {
      throw new Fault('shutting_down', { detail: 'The store is closed.' });
    }
    if (this.#pool.waitingCount >= this.#options.waitersMax) throw tooManyWaiters();
    const connecting = this.#pool.connect();
    try {
      return await abortable(connecting, signal);
    } catch (error) {
      if (signal?.aborted) {
        // Whoever waited has left; the connection that comes for them goes back.
        connecting.then((client) => client.release(), ignore);
        throw error;
      }
      // The pool says this when all its connections were busy for the whole wait.
      if (error instanceof Error && error.message === 'timeout exceeded when trying to connect') {
        throw tooManyWaiters();
      }
      throw unavailable(error);
    }
  }

  #pauseMs(attempt: number): number {
    return unitInterval(this.#options.random) * Math.min(pauseMaxMs, pauseFirstMs * 2 ** attempt);
  }
}

function ignore(): void {}

/** Rejects with the signal's reason as soon as it aborts. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function tooManyWaiters(): Fault {
  return new Fault('overloaded', {
    detail: 'All connections to the store are busy.',
    retryAfterMs: 1000,
  });
}

function tooMuchConflict(cause: SqlError): Fault {
  return new Fault('overloaded', {
    detail: 'The write met others too often.',
    retryAfterMs: 1000,
    cause,
  });
}

const writeWords = /\b(insert|update|delete|merge|truncate|create|alter|drop|copy|call|do|grant|revoke)\b/i;

/** Errs on the side of `yes`: a read that is taken for a write only says less than it could. */
function mayWrite(text: string): boolean {
  return writeWords.test(text);
}

import type { PoolClient } from 'pg';
import { SqlError, sqlstates } from '../sql-error.ts';
import type { Queryable, Row, Statement, TransactionOptions } from '../store.ts';
import { isRefusal, mapFailure, outcomeUnknown } from './map-failure.ts';
import { runStatement } from './run-statement.ts';

const commit: Statement = { name: '', text: 'commit' };
const rollback: Statement = { name: '', text: 'rollback' };

type Phase = 'open' | 'ended';

/** One attempt at one transaction on one connection. Statements run one after the other, as they were asked for. */
export class PooledTransaction implements Queryable {
  readonly #client: PoolClient;
  readonly #options: TransactionOptions;
  #phase: Phase = 'open';
  #tail: Promise<unknown> = Promise.resolve();
  /** The first statement that the engine refused: from then on the transaction can only be rolled back. */
  #refused: SqlError | undefined;
  /** The connection is in a state that nobody knows; it must not be used again. */
  broken = false;

  constructor(client: PoolClient, options: TransactionOptions) {
    this.#client = client;
    this.#options = options;
  }

  async run<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    try {
      await this.#send(beginOf(this.#options));
      const result = await work(this);
      await this.#tail;
      this.#options.signal?.throwIfAborted();
      this.#phase = 'ended';
      await this.#commit();
      return result;
    } catch (error) {
      this.#phase = 'ended';
      await this.#tail;
      await this.#rollback();
      // Whatever the work made of it, a conflict is what happened, and running again is what helps.
      throw this.#refused?.conflict ? this.#refused : error;
    }
  }

  query<R extends object = Row>(statement: Statement, params?: readonly unknown[]): Promise<readonly R[]> {
    if (this.#phase === 'ended') {
      return Promise.reject(new TypeError(`"${statement.name}" was asked of a transaction that has ended`));
    }
    const asked = this.#tail.then(() => this.#send<R>(statement, params));
    this.#tail = asked.catch(() => undefined);
    return asked;
  }

  async #send<R extends object>(statement: Statement, params?: readonly unknown[]): Promise<readonly R[]> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    if (signal === undefined) return this.#answer<R>(statement, params);
    const abort = Promise.withResolvers<never>();
    const onAbort = () => {
      // The statement may run on in the engine; the connection is given up, and with it the transaction.
      this.broken = true;
      abort.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([this.#answer<R>(statement, params), abort.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #answer<R extends object>(statement: Statement, params?: readonly unknown[]): Promise<readonly R[]> {
    try {
      return (await runStatement<R>(this.#client, statement, params)).rows;
    } catch (error) {
      // Nothing is committed yet, so a broken link leaves nothing behind, whatever the statement was.
      const mapped = mapFailure(error, statement, false);
      this.broken ||= !isRefusal(error);
      if (mapped instanceof SqlError) this.#refused ??= mapped;
      throw mapped;
    }
  }

  async #commit(): Promise<void> {
    let unreplicated = false;
    const onNotice = (notice: { readonly routine?: string | undefined }) => {
      unreplicated ||= notice.routine === 'SyncRepWaitForLSN';
    };
    this.#client.on('notice', onNotice);
    try {
      const { command } = await runStatement(this.#client, commit);
      if (command !== 'COMMIT') throw this.#refused ?? swallowed();
    } catch (error) {
      if (error instanceof SqlError) throw error;
      throw await this.#failedCommit(error);
    } finally {
      this.#client.off('notice', onNotice);
    }
    // The engine gave up waiting for its standby: committed here, but a failover would lose it.
    if (unreplicated) throw outcomeUnknown(new Error('the standby did not confirm'));
  }

  /**
   * COMMIT can be refused outright (a deferred constraint, a serialization failure), and then the session lives
   * on, rolled back. If the session is dead, the commit may have happened before it died.
   */
  async #failedCommit(error: unknown): Promise<Error> {
    this.broken ||= !isRefusal(error);
    await this.#rollback();
    return this.broken ? outcomeUnknown(error) : mapFailure(error, commit, false);
  }

  async #rollback(): Promise<void> {
    if (this.broken) return;
    try {
      await runStatement(this.#client, rollback);
    } catch {
      this.broken = true;
    }
  }
}

function beginOf({ isolation = 'read committed', readOnly = false }: TransactionOptions): Statement {
  return { name: '', text: `begin isolation level ${isolation} ${readOnly ? 'read only' : 'read write'}` };
}

/** The work went on after a refused statement as if nothing had happened. The engine did not: it rolled back. */
function swallowed(): SqlError {
  return new SqlError({ sqlstate: sqlstates.transactionAborted, statement: 'commit' });
}

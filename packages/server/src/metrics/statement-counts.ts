import { Counter, type Registry } from 'prom-client';
import { statementNamesMax } from '../limits.ts';
import type { Queryable, Row, Statement, Store, TransactionOptions } from '../storage/store.ts';

/** Statements that have no name: migrations, upkeep, whatever comes once. */
const unnamed = 'other';

/**
 * Counts what is asked of the store, by the name of the statement. Names are constants of the statements, and so a
 * closed set; past their bound they count as `other`. It is what shows that something costs no query at all.
 */
export class StatementCounts {
  readonly #counts = new Map<string, number>([[unnamed, 0]]);

  over(store: Store): Store {
    return {
      query: <R extends object = Row>(statement: Statement, params?: readonly unknown[]) => {
        this.#count(statement);
        return store.query<R>(statement, params);
      },
      transaction: <T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions) =>
        store.transaction((tx) => work(this.#counted(tx)), options),
      close: () => store.close(),
    };
  }

  register(registry: Registry): void {
    const counts = this.#counts;
    new Counter({
      registers: [registry],
      name: 'keyswarm_store_statements_total',
      help: 'Statements sent to the store, by name; `other` for those without one.',
      labelNames: ['statement'],
      collect() {
        this.reset();
        for (const [statement, count] of counts) this.inc({ statement }, count);
      },
    });
  }

  #counted(tx: Queryable): Queryable {
    return {
      query: <R extends object = Row>(statement: Statement, params?: readonly unknown[]) => {
        this.#count(statement);
        return tx.query<R>(statement, params);
      },
    };
  }

  #count(statement: Statement): void {
    const name = statement.name || (statement.countedAs ?? '');
    const isKept = name !== '' && (this.#counts.has(name) || this.#counts.size < statementNamesMax);
    const counted = isKept ? name : unnamed;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }
}

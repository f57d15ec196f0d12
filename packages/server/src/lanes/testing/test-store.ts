import { initStore } from '../../feed/init-store.ts';
import { systemClock } from '../../runtime/clock.ts';
import { migrate } from '../../storage/migrate.ts';
import { createPgliteStore } from '../../storage/pglite/pglite-store.ts';
import { createPostgresStore } from '../../storage/postgres/postgres-store.ts';
import { migrationsDir } from '../../storage/read-migrations.ts';
import type { Queryable, Row, Statement, Store, TransactionOptions } from '../../storage/store.ts';

/** A store in memory, migrated and ready. */
export async function openMemoryStore(shards: number): Promise<Store> {
  return ready(await createPgliteStore(), shards);
}

/** A store on a server; opened several times on one URL it is what several processes are. */
export async function openServerStore(url: string, shards: number, connectionsMax = 8): Promise<Store> {
  return ready(createPostgresStore({ url, connectionsMax }), shards);
}

async function ready(store: Store, shards: number): Promise<Store> {
  await migrate(store, migrationsDir);
  await initStore(store, { shards, clock: systemClock });
  return store;
}

/** Passes everything on. A test overrides what it wants to see or to hold up. */
export class StoreBetween implements Store {
  readonly inner: Store;
  /** Transactions that were asked for. */
  transactions = 0;
  /** Awaited after the work of each transaction and before its COMMIT. */
  beforeCommit: () => Promise<void> = async () => {};

  constructor(inner: Store) {
    this.inner = inner;
  }

  query<R extends object = Row>(statement: Statement, params?: readonly unknown[]): Promise<readonly R[]> {
    return this.inner.query<R>(statement, params);
  }

  transaction<T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T> {
    this.transactions += 1;
    return this.inner.transaction(async (tx) => {
      const result = await work(tx);
      await this.beforeCommit();
      return result;
    }, options);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** A door that stays shut until it is opened. */
export class Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.passed = promise;
    this.open = resolve;
  }
}

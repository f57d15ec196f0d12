import { Fault } from '@keyswarm/core';
import { SqlError, sqlstates } from '@keyswarm/server/rooms/storage/sql-error';
import type {
  Queryable,
  Row,
  Statement,
  Store,
  TransactionOptions,
} from '@keyswarm/server/rooms/storage/store';
import type { Life } from '../kernel/machine.ts';
import type { SeededRandom } from '../kernel/seeded-random.ts';
import type { Engine } from './engine.ts';
import { Session, SessionLost } from './session.ts';
import type { StoreWeather } from './store-weather.ts';

/*
 * The store as one process has it, with the meaning of every failure that the pooled store of the product gives it:
 * before COMMIT was sent nothing has happened (`store_unavailable`); after that nobody can tell (`outcome_unknown`);
 * what the engine gave up for another's sake is run again.
 */

const attemptsMax = 6;
const pauseFirstMs = 4;
const pauseMaxMs = 200;

export interface SimStoreOptions {
  readonly engine: Engine;
  readonly weather: StoreWeather;
  readonly life: Life;
  readonly random: SeededRandom;
  /** Let in while others are not. */
  readonly isOperator?: boolean;
  /** Told of a commit whose outcome its caller can't know. */
  readonly onUnknown?: (tookPlace: boolean) => void;
}

export class SimStore implements Store {
  readonly #options: SimStoreOptions;

  constructor(options: SimStoreOptions) {
    this.#options = options;
  }

  async query<R extends object = Row>(
    statement: Statement,
    params: readonly unknown[] = [],
  ): Promise<readonly R[]> {
    const session = new Session(this.#options, 'read committed');
    try {
      const rows = await session.ask(() => session.run(statement, params));
      session.commitNow();
      return rows as readonly R[];
    } catch (error) {
      session.leave();
      throw error instanceof SessionLost ? unavailable() : error;
    }
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { life, random } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(work, options);
      } catch (error) {
        if (!(error instanceof SqlError && error.conflict)) throw error;
        if (attempt === attemptsMax) throw new Fault('overloaded', { detail: 'Met others too often.' });
        const pauseMs = random.next() * Math.min(pauseMaxMs, pauseFirstMs * 2 ** attempt);
        await life.timers.sleep(pauseMs, options.signal);
      }
    }
  }

  async close(): Promise<void> {}

  async #attempt<T>(work: (tx: Queryable) => Promise<T>, options: TransactionOptions): Promise<T> {
    options.signal?.throwIfAborted();
    const session = new Session(this.#options, options.isolation ?? 'read committed');
    let tail: Promise<unknown> = Promise.resolve();
    let refused: SqlError | undefined;
    const send = async (statement: Statement, params: readonly unknown[]) => {
      options.signal?.throwIfAborted();
      try {
        return await abortable(
          session.ask(() => session.run(statement, params)),
          options.signal,
        );
      } catch (error) {
        if (error instanceof SqlError) refused ??= error;
        throw error instanceof SessionLost ? unavailable() : error;
      }
    };
    const tx: Queryable = {
      query<R extends object>(statement: Statement, params: readonly unknown[] = []) {
        const asked = tail.then(() => send(statement, params));
        tail = asked.catch(() => undefined);
        return asked as Promise<readonly R[]>;
      },
    };
    try {
      const result = await work(tx);
      await tail;
      options.signal?.throwIfAborted();
      await this.#commit(session);
      return result;
    } catch (error) {
      await tail;
      session.leave();
      throw refused?.conflict ? refused : error;
    }
  }

  async #commit(session: Session): Promise<void> {
    const { weather, random, onUnknown } = this.#options;
    try {
      await session.ask(() => {
        if (random.chance(weather.conflictShare))
          throw new SqlError({ sqlstate: sqlstates.serializationFailure, statement: 'commit' });
        const isBroken = random.chance(weather.brokenCommitShare);
        if (isBroken && random.chance(0.5)) throw new SessionLost();
        session.commitNow();
        if (isBroken) throw new SessionLost();
      });
    } catch (error) {
      if (!(error instanceof SessionLost)) throw error;
      onUnknown?.(session.hasCommitted);
      throw new Fault('outcome_unknown', {
        detail: 'The link to the store broke before the outcome of the write was known.',
        retryAfterMs: 1000,
      });
    }
  }
}

function unavailable(): Fault {
  return new Fault('store_unavailable', { detail: 'The store can not be reached.', retryAfterMs: 1000 });
}

/** Rejects with the signal's reason as soon as it aborts. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

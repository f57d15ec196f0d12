import { type Random, systemRandom } from '../../runtime/random.ts';
import { type CancelTimer, systemTimers, type Timers } from '../../runtime/timers.ts';
import { PooledStore } from '../pool/pooled-store.ts';
import type { Store } from '../store.ts';
import { PgliteEngine } from './pglite-engine.ts';
import { upkeep } from './upkeep.ts';

export interface PgliteStoreOptions {
  /** The folder that the data lives in, made if it isn't there. Absent: in memory, gone with the process. */
  readonly dataDir?: string;
  readonly waitersMax?: number;
  /** Hears of an upkeep that failed. It is tried again an hour later. */
  readonly onUpkeepFailure?: (error: unknown) => void;
  readonly timers?: Timers;
  readonly random?: Random;
}

/*
 * The engine has one session, so transactions run one after the other: the pool of one connection is their
 * queue. A batch of 500 rows takes about 3 ms; 1,000 waiting reads drain in a second or two.
 */
const waitersMaxDefault = 1000;
const waitTimeoutMs = 15_000;
/** The engine can't be interrupted. Past this its answer is given up and its thread's session is wiped. */
const answerTimeoutMs = 60_000;
const upkeepPeriodMs = 60 * 60_000;

/**
 * The store over PGlite: PostgreSQL in WebAssembly, in a worker thread, with its data in `dataDir`. A commit is
 * answered once it is on disk. A second process that opens the same folder gets a `store_unavailable` that names
 * the first one.
 */
export async function createPgliteStore(options: PgliteStoreOptions = {}): Promise<Store> {
  const engine = new PgliteEngine(options.dataDir ?? null, options.timers ?? systemTimers);
  try {
    await engine.start();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return new PgliteStore(engine, options);
}

export class PgliteStore extends PooledStore {
  readonly #engine: PgliteEngine;
  readonly #cancelUpkeep: CancelTimer;

  constructor(engine: PgliteEngine, options: Omit<PgliteStoreOptions, 'dataDir'>) {
    const timers = options.timers ?? systemTimers;
    super({
      connection: {
        stream: () => engine.openLink(),
        host: 'localhost',
        user: 'postgres',
        database: 'postgres',
        ssl: false,
      },
      connectionsMax: 1,
      waitersMax: options.waitersMax ?? waitersMaxDefault,
      connectTimeoutMs: waitTimeoutMs,
      answerTimeoutMs,
      idleTimeoutMs: 0,
      lifetimeMs: 0,
      timers,
      random: options.random ?? systemRandom,
    });
    this.#engine = engine;
    this.#cancelUpkeep = timers.every(upkeepPeriodMs, () => {
      upkeep(this).catch((error: unknown) => options.onUpkeepFailure?.(error));
    });
  }

  override async close(): Promise<void> {
    this.#cancelUpkeep();
    await super.close();
    await this.#engine.close();
  }
}

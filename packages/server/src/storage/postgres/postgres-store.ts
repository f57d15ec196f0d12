import { type Random, systemRandom } from '../../runtime/random.ts';
import { systemTimers, type Timers } from '../../runtime/timers.ts';
import { PooledStore } from '../pool/pooled-store.ts';
import type { Store } from '../store.ts';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database?sslmode=…` */
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
  readonly connectionsMax?: number;
  /** Callers that may wait for a connection; more are refused with `overloaded`. */
  readonly waitersMax?: number;
  readonly connectTimeoutMs?: number;
  /** The engine ends a statement that takes longer; a lock that is waited for counts. */
  readonly statementTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly timers?: Timers;
  readonly random?: Random;
}

/*
 * Bounds. One lane a shard writes at a time, 16 of them, and reads are short: 16 connections keep all lanes
 * moving while reads share what is free. 1,000 waiters at 1 ms a statement over 16 connections drain in 60 ms; a
 * longer queue would only be answered after its callers have given up.
 */
const connectionsMaxDefault = 16;
const waitersMaxDefault = 1000;
const connectTimeoutMsDefault = 5_000;
const statementTimeoutMsDefault = 10_000;
const idleTimeoutMsDefault = 60_000;
const lifetimeMs = 30 * 60_000;
/** The engine's own bound speaks first; this one is for an engine that can't speak any more. */
const answerGraceMs = 5_000;

/**
 * The store over PostgreSQL 15 or later, or an engine with its protocol and its SQL. Connects directly: named
 * statements live as long as their connection, so a pooler in between must be in session mode.
 */
export function createPostgresStore(options: PostgresStoreOptions): Store {
  const statementTimeoutMs = options.statementTimeoutMs ?? statementTimeoutMsDefault;
  return new PooledStore({
    connection: {
      connectionString: options.url,
      application_name: options.applicationName ?? 'keyswarm',
      options: '-c TimeZone=UTC -c DateStyle=ISO -c bytea_output=hex -c extra_float_digits=1',
      statement_timeout: statementTimeoutMs,
      // A transaction of ours never waits for anything but the engine. One that does is a lost process, and its
      // locks would stop the lane for everybody.
      idle_in_transaction_session_timeout: statementTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    },
    connectionsMax: options.connectionsMax ?? connectionsMaxDefault,
    waitersMax: options.waitersMax ?? waitersMaxDefault,
    connectTimeoutMs: options.connectTimeoutMs ?? connectTimeoutMsDefault,
    answerTimeoutMs: statementTimeoutMs + answerGraceMs,
    idleTimeoutMs: options.idleTimeoutMs ?? idleTimeoutMsDefault,
    lifetimeMs,
    timers: options.timers ?? systemTimers,
    random: options.random ?? systemRandom,
  });
}

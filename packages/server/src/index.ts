/*
 * The authority as a library. Whoever wants a server wants `@keyswarm/server/start`; this is for those who put one
 * together from its parts: benches, tools, tests of other packages.
 */

export { createFeedSource } from './feed/feed-source.ts';
export { initStore } from './feed/init-store.ts';
export { type AuditCheck, verifyAudit } from './feed/verify-audit.ts';
export type { Lanes, LaneWrite } from './lanes/lane-port.ts';
export { createLanes, type RunningLanes } from './lanes/lanes.ts';
export { configWith, type RunningServer, type ServerConfig, type StartOptions, startServer } from './main.ts';
export { type Clock, systemClock } from './runtime/clock.ts';
export { type Random, systemRandom } from './runtime/random.ts';
export { systemTimers, type Timers } from './runtime/timers.ts';
export { migrate } from './storage/migrate.ts';
export { createPgliteStore } from './storage/pglite/pglite-store.ts';
export { createPostgresStore } from './storage/postgres/postgres-store.ts';
export { migrationsDir } from './storage/read-migrations.ts';
export { createReader } from './storage/reader.ts';
export type { Queryable, Row, Statement, Store } from './storage/store.ts';

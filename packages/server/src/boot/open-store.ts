import { join } from 'node:path';
import type { ServerConfig } from '../config/config-schema.ts';
import { initStore, ShardsMismatch } from '../feed/init-store.ts';
import type { Log } from '../logging/log.ts';
import type { Clock } from '../runtime/clock.ts';
import { migrate } from '../storage/migrate.ts';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import { migrationsDir } from '../storage/read-migrations.ts';
import type { Store } from '../storage/store.ts';

export async function openStore(config: ServerConfig, log: Log): Promise<Store> {
  if (config.databaseUrl === null) {
    return await createPgliteStore({
      dataDir: join(config.dataDir, 'store'),
      onUpkeepFailure: (err) =>
        log.warn({ err }, 'upkeep of the embedded store left something to its next run'),
    });
  }
  return createPostgresStore({ url: config.databaseUrl, connectionsMax: config.databaseConnectionsMax });
}

/** Brings the store to this version's schema and makes it ready to be written to. Says how many shards it has. */
export async function prepareStore(
  store: Store,
  options: { readonly config: ServerConfig; readonly clock: Clock; readonly log: Log },
): Promise<number> {
  const { config, clock, log } = options;
  const { applied, version } = await migrate(store, migrationsDir);
  if (applied.length > 0) log.info({ applied, version }, 'the schema was brought up to date');
  try {
    await initStore(store, { shards: config.shards, clock });
    return config.shards;
  } catch (error) {
    if (!(error instanceof ShardsMismatch)) throw error;
    // The setting is for a new store. Each id's place hangs on the number, so the store's own is the one that holds.
    log.info({ shards: error.found, setting: error.wanted }, 'the store keeps the shards it was made with');
    return error.found;
  }
}

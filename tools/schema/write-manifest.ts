import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeSchema } from '../../packages/server/src/storage/describe-schema.ts';
import { migrate } from '../../packages/server/src/storage/migrate.ts';
import { createPgliteStore } from '../../packages/server/src/storage/pglite/pglite-store.ts';
import { migrationsDir } from '../../packages/server/src/storage/read-migrations.ts';

/*
 * Writes schema-manifest.json: what the database looks like after every migration, read back from the catalog of
 * a fresh one. Run it with a change of the schema and commit the difference, which says in one place what the
 * change did; a test compares the manifest with both engines.
 */

const path = fileURLToPath(
  new URL('../../packages/server/src/storage/schema-manifest.json', import.meta.url),
);
const store = await createPgliteStore();
try {
  await migrate(store, migrationsDir);
  writeFileSync(path, `${JSON.stringify(await describeSchema(store), null, 2)}\n`);
} finally {
  await store.close();
}

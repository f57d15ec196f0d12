import type { KeyId, KeyspaceId, OwnerId } from '@keyswarm/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../migrate.ts';
import { migrationsDir } from '../read-migrations.ts';
import { findFingerprints } from '../statements/find-fingerprints.ts';
import { findIdempotency } from '../statements/find-idempotency.ts';
import { lockKeys } from '../statements/lock-keys.ts';
import { lockKeyspaces } from '../statements/lock-keyspaces.ts';
import { lockOwners } from '../statements/lock-owners.ts';
import type { Queryable, Store } from '../store.ts';
import { createPgliteStore } from './pglite-store.ts';

let store: Store;
beforeAll(async () => {
  store = await createPgliteStore();
  await migrate(store, migrationsDir);
});
afterAll(() => store.close());

test.each<[string, (tx: Queryable) => Promise<unknown>]>([
  ['kept replies', (tx) => findIdempotency(tx, [])],
  ['fingerprints', (tx) => findFingerprints(tx, 0, ['00'])],
  ['keys', (tx) => lockKeys(tx, 0, ['key_01h455vb4pex5vsknk084sn02q' as KeyId])],
  ['owners', (tx) => lockOwners(tx, ['own_01h455vb4pex5vsknk084sn02q' as OwnerId], 16)],
  ['keyspaces', (tx) => lockKeyspaces(tx, 0, ['ks_01h455vb4pex5vsknk084sn02q' as KeyspaceId])],
])('a plan made while the table of %s was empty goes by its index', async (_, ask) => {
  const texts: string[] = [];
  const listener: Queryable = {
    query: async ({ text }) => {
      texts.push(text);
      return [];
    },
  };
  await ask(listener);
  expect(texts.length).toBeGreaterThan(0);
  for (const text of texts) {
    const rows = await store.query<Record<string, string>>({
      name: '',
      text: `explain (generic_plan) ${text}`,
    });
    const plan = rows.flatMap((row) => Object.values(row)).join('\n');
    expect(plan).toContain('Index');
    expect(plan).not.toMatch(/Seq Scan on (?!pg_)/);
  }
});

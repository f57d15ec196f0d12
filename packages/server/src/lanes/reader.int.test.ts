import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll, describe } from 'vitest';
import { readerConformance } from './reader.conformance.ts';
import { openServerStore } from './testing/test-store.ts';

const shards = 16;
let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describe('the reader over PostgreSQL', () => {
  readerConformance(async () => openServerStore(await postgres.createDatabase(), shards), shards);
});

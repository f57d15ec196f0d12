import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll } from 'vitest';
import { describeCourier } from '../deliveries/courier.conformance.ts';
import { openServerStore } from '../lanes/testing/test-store.ts';
import type { Store } from '../storage/store.ts';
import { describeWorkflows } from '../workflows/workflows.conformance.ts';
import { describeExpirySweep } from './suite/sweep-expiry.conformance.ts';

/* What jobs, deliveries and the sweep have to do, over a real PostgreSQL. */

const shards = 4;
let postgres: Postgres;
let store: Store;
beforeAll(async () => {
  postgres = await startPostgres();
  store = await openServerStore(await postgres.createDatabase(), shards, 24);
});
afterAll(async () => {
  await store.close();
  await postgres.stop();
});

describeWorkflows(() => store, false);
describeCourier(() => store, shards);
describeExpirySweep(() => store, shards);

import { afterAll, beforeAll } from 'vitest';
import { openMemoryStore } from '../lanes/testing/test-store.ts';
import type { Store } from '../storage/store.ts';
import { describeExpirySweep } from './suite/sweep-expiry.conformance.ts';

const shards = 4;
let store: Store;
beforeAll(async () => {
  store = await openMemoryStore(shards);
}, 30_000);
afterAll(() => store.close());

describeExpirySweep(() => store, shards);

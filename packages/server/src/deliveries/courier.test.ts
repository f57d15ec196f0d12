import { afterAll, beforeAll } from 'vitest';
import { openMemoryStore } from '../lanes/testing/test-store.ts';
import type { Store } from '../storage/store.ts';
import { describeCourier } from './courier.conformance.ts';

const shards = 4;
let store: Store;
beforeAll(async () => {
  store = await openMemoryStore(shards);
}, 30_000);
afterAll(() => store.close());

describeCourier(() => store, shards);

import { afterAll, beforeAll } from 'vitest';
import { openMemoryStore } from '../lanes/testing/test-store.ts';
import type { Store } from '../storage/store.ts';
import { describeWorkflows } from './workflows.conformance.ts';

let store: Store;
beforeAll(async () => {
  store = await openMemoryStore(4);
}, 30_000);
afterAll(() => store.close());

describeWorkflows(() => store, true);

import { describe } from 'vitest';
import { documentsConformance } from './documents.conformance.ts';
import { lanesConformance } from './lanes.conformance.ts';
import { openMemoryStore } from './testing/test-store.ts';

const shards = 4;

describe('lanes over the embedded store', () => {
  lanesConformance(() => openMemoryStore(shards), shards);
  documentsConformance(() => openMemoryStore(shards), shards);
});

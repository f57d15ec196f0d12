import { describe } from 'vitest';
import { readerConformance } from './reader.conformance.ts';
import { openMemoryStore } from './testing/test-store.ts';

const shards = 4;

describe('the reader over the embedded store', () => {
  readerConformance(() => openMemoryStore(shards), shards);
});

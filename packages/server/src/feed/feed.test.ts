import { describe } from 'vitest';
import { openMemoryStore } from '../lanes/testing/test-store.ts';
import { feedConformance } from './feed.conformance.ts';

const shards = 4;

describe('the feed over the embedded store', () => {
  feedConformance(() => openMemoryStore(shards), shards);
});

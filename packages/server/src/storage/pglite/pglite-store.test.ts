import { describeStore } from '../store-conformance.ts';
import { createPgliteStore } from './pglite-store.ts';

describeStore('PGlite', { open: (options = {}) => createPgliteStore(options) });

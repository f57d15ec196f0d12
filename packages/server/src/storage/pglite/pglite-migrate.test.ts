import { describeMigrations } from '../migrate-conformance.ts';
import { createPgliteStore } from './pglite-store.ts';

describeMigrations('PGlite', () => createPgliteStore());

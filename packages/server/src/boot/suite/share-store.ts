import type { Store } from '../../storage/store.ts';

/** The same store for several servers of one test: a server that closes leaves it open. */
export function shareStore(store: Store): Store {
  return {
    query: (statement, params) => store.query(statement, params),
    transaction: (work, options) => store.transaction(work, options),
    close: async () => {},
  };
}

import type { DeadLetters } from './dead-letter-port.ts';
import {
  deleteDeadLetter,
  insertDeadLetter,
  listDeadLetters,
  readDeadLetter,
} from './statements/dead-letters.ts';
import type { Store } from './store.ts';

export function createDeadLetters(store: Store, { shards }: { readonly shards: number }): DeadLetters {
  return {
    add: (letter) => insertDeadLetter(store, letter, shards),
    find: (id) => readDeadLetter(store, id, shards),
    list: (workspaceId, page) => listDeadLetters(store, { workspaceId, ...page }, shards),
    remove: (id) => deleteDeadLetter(store, id, shards),
  };
}

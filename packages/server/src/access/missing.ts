import { Fault } from '@keyswarm/core';

/*
 * What is said of a thing that isn't there, or that is none of the caller's business. One text for both and for
 * every id, so that nothing in the answer tells the two apart.
 */

export function keyNotFound(): Fault {
  return new Fault('not_found', { detail: 'There is no such key here.', field: 'id' });
}

export function ownerNotFound(): Fault {
  return new Fault('not_found', { detail: 'There is no such owner here.', field: 'id' });
}

/** `field`: where the keyspace was named, `/keyspace` in a body or `id` in a path. */
export function keyspaceNotFound(field: string): Fault {
  return new Fault('not_found', { detail: 'There is no such keyspace here.', field });
}

/** What is said to whoever presents a key by which this can't be done, whatever is wrong with it. */
export function keyNotHeld(): Fault {
  return new Fault('unauthenticated', {
    detail: 'Send a valid key.',
    field: 'Authorization',
    expected: 'Authorization: Bearer <key>',
  });
}

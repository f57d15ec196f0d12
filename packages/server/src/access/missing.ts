import { Fault, findKeyString } from '@keyswarm/core';

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

/**
 * `field`: where the keyspace was named, `/keyspace` in a body or `id` in a path. `named`: as the caller gave it, which is
 * what a mistyped name is found by; not repeated where it looks like a key. `near`: names that the caller may know.
 */
export function keyspaceNotFound(field: string, named?: string, near: readonly string[] = []): Fault {
  const isTold = named !== undefined && !findKeyString(named);
  return new Fault('not_found', {
    detail: isTold ? `There is no keyspace "${named}" here.` : 'There is no such keyspace here.',
    field,
    ...(near.length === 0
      ? {}
      : { expected: `the name or id of a keyspace; did you mean ${near.join(' or ')}?` }),
  });
}

/** What is said to whoever presents a key by which this can't be done, whatever is wrong with it. */
export function keyNotHeld(): Fault {
  return new Fault('unauthenticated', {
    detail: 'Send a valid key.',
    field: 'Authorization',
    expected: 'Authorization: Bearer <key>',
  });
}

import { Fault, type FeedPosition, shardsMax } from '@keyswarm/core';
import { seqPattern } from '../schemas/fields.ts';

/*
 * A place in the feed as callers hold it: `<epoch>.<shard>.<seq>`, opaque to them. A reply to a change names where the
 * change stands; a verification that is given the same text answers from no older state.
 */

const shape = new RegExp(seqPattern);

export function formatSeq({ epoch, shard, seq }: FeedPosition): string {
  return `${epoch}.${shard}.${seq}`;
}

/** Throws `invalid_field` for what no reply of this system has ever said. */
export function parseSeq(text: string, field: string): FeedPosition {
  const [epoch, shard, seq] = shape.test(text) ? text.split('.').map(Number) : [];
  if (epoch === undefined || shard === undefined || seq === undefined || shard >= shardsMax)
    throw badSeq(field);
  return { epoch, shard, seq };
}

export function badSeq(field: string): Fault {
  return new Fault('invalid_field', {
    detail: 'This place in the feed was not given out by this server.',
    field,
    expected: '`seq` of the reply to a change, unchanged',
  });
}

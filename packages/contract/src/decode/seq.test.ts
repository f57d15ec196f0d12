import { Fault } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { formatSeq, parseSeq } from './seq.ts';

describe('a place in the feed as text', () => {
  it.each([
    { epoch: 0, shard: 0, seq: 0 },
    { epoch: 1, shard: 255, seq: 999_999_999_999_999 },
    { epoch: 1_790_000_000_000, shard: 16, seq: 1 },
  ])('comes back as it was: %o', (position) => {
    expect(parseSeq(formatSeq(position), '/min_seq')).toEqual(position);
  });

  it.each([
    '',
    '1',
    '1.2',
    '1.2.3.4',
    '01.2.3',
    '1.2.-3',
    '1.2.3 ',
    '1.2.1e3',
    '1.256.3',
    '1.2.1000000000000000',
    'a.b.c',
  ])('is refused as %j, by the name of its field', (text) => {
    let error: unknown;
    try {
      parseSeq(text, '/min_seq');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(Fault);
    expect(error).toMatchObject({ code: 'invalid_field', field: '/min_seq' });
  });
});

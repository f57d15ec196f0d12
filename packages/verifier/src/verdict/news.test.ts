import { refusalCodes } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { hasApplied, mayBeNews } from './news.ts';

const applied = { epoch: 2, seqs: [5, 0] };

describe('what has to wait for news', () => {
  it('is a refusal that a later change could lift, and no other', () => {
    const lifted = refusalCodes.filter((code) => mayBeNews(code, 'orders_x'));
    expect(lifted).toEqual([
      'malformed',
      'unknown',
      'expired',
      'suspended',
      'insufficient_scope',
      'signature_required',
    ]);
  });

  it('is never what no key can look like', () => {
    expect(mayBeNews('malformed', '')).toBe(false);
    expect(mayBeNews('malformed', 'x'.repeat(100_000))).toBe(false);
  });

  it('is a change further on than what is applied, in its own shard', () => {
    expect(hasApplied(applied, { epoch: 2, shard: 0, seq: 5 })).toBe(true);
    expect(hasApplied(applied, { epoch: 2, shard: 0, seq: 6 })).toBe(false);
    expect(hasApplied(applied, { epoch: 2, shard: 1, seq: 1 })).toBe(false);
    expect(hasApplied(applied, { epoch: 2, shard: 9, seq: 1 })).toBe(false);
  });

  it('is no change of an earlier epoch, and every one of a later', () => {
    expect(hasApplied(applied, { epoch: 1, shard: 0, seq: 900 })).toBe(true);
    expect(hasApplied(applied, { epoch: 3, shard: 0, seq: 1 })).toBe(false);
  });
});

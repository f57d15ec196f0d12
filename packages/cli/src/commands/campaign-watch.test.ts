import type { CampaignReply } from '@keyswarm/contract';
import { campaignStates } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { doneOf, hasEnded, noteOf } from './campaign-watch.ts';

const progress = {
  selected: 100,
  selected_exact: true,
  taken: 40,
  skipped: 2,
  skipped_suspended: 0,
  renewed: 7,
  open: 33,
  enforced: 0,
};
const shown = (more: object) =>
  ({
    kind: 'rotate',
    phase: 'select',
    progress,
    canary: { hold_until: null },
    pace: { now: 80.4, throttled_by: null },
    ...more,
  }) as CampaignReply;

describe('watching a campaign', () => {
  it('counts keys that are looked at, and then holders that have renewed', () => {
    expect(doneOf(shown({}))).toEqual({ label: 'asked', done: 42, total: 100 });
    expect(doneOf(shown({ kind: 'revoke' })).label).toBe('revoked');
    expect(doneOf(shown({ phase: 'wait' }))).toEqual({ label: 'renewed', done: 7, total: 40 });
    const many = { ...progress, selected_exact: false };
    expect(doneOf(shown({ progress: many })).total).toBeUndefined();
  });

  it.each(campaignStates.map((state) => [state, state === 'finished' || state === 'aborted'] as const))(
    'goes on until it has ended, through a pause as well: %s ends it: %s',
    (state, ends) => expect(hasEnded({ state })).toBe(ends),
  );

  it('says why it stands or is slow', () => {
    expect(noteOf(shown({}))).toBe('');
    expect(noteOf(shown({ state: 'paused', id: 'camp_1', paused_because: 'error_budget' }))).toBe(
      '  paused (too many verifications failed); keyswarm campaign resume camp_1',
    );
    expect(noteOf(shown({ canary: { hold_until: '2030-01-01T10:20:30.000Z' } }))).toBe(
      '  sample held until 10:20:30',
    );
    expect(noteOf(shown({ pace: { now: 80.4, throttled_by: 'verify_p99' } }))).toBe(
      '  slowed by verify p99 to 80/s',
    );
  });
});

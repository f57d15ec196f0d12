import { describe, expect, it } from 'vitest';
import { idFromUuidBytes } from '../ids/id-codec.ts';
import { uuidV7 } from '../ids/uuid.ts';
import { faultOf } from '../lifecycle/fault-of.arbitrary.ts';
import {
  issued,
  keyId,
  keyspaceId,
  ownerId,
  rotated,
  t0,
  workspaceId,
} from '../lifecycle/records.arbitrary.ts';
import { revokeKey } from '../lifecycle/revoke-key.ts';
import { suspendKey } from '../lifecycle/suspend-key.ts';
import {
  abortCampaign,
  afterWaiting,
  type Campaign,
  campaignStages,
  completeStage,
  finishCampaign,
  noTotals,
  pauseCampaign,
  resumeCampaign,
  stageRanks,
  tripCampaign,
} from './campaign.ts';
import { enforceOn, isSamePlace, noProgress, progressIn, takeKey } from './chunk.ts';
import { isOverBudget, nextPace } from './pace.ts';
import { isInRange, isUnnarrowed, mayMeet, rankOf, selects } from './selector.ts';
import { campaignStates, campaignTransitions } from './transitions.ts';

const id = idFromUuidBytes('camp', uuidV7(t0, new Uint8Array(10).fill(9)));
const selector = {
  keyspaceIds: [keyspaceId],
  ownerId: null,
  scopes: [],
  issuedBeforeMs: t0 + 1,
  state: null,
};
const campaignWith = (change: Partial<Campaign> = {}): Campaign => ({
  id,
  workspaceId,
  kind: 'rotate',
  name: '',
  reason: null,
  selector,
  windowMs: 1000,
  deadlineMs: t0 + 60_000,
  onDeadline: 'leave',
  pace: { keysPerSecond: 640, verifyP99Ms: 50, errorBudget: 0.01 },
  holdMs: 5000,
  state: 'running',
  phase: 'select',
  stage: 0,
  holdUntilMs: null,
  pausedBecause: null,
  selected: 10,
  selectedExact: true,
  totals: { ...noTotals, taken: 1 },
  rate: 640,
  throttledBy: null,
  starterId: keyId,
  starterScopes: ['*'],
  driver: null,
  driverUntilMs: 0,
  startedAtMs: t0,
  endedAtMs: null,
  ...change,
});

describe('the life of a campaign', () => {
  it('goes only where the table says, from every state and by every command', () => {
    const commands = {
      pause: (campaign: Campaign) => pauseCampaign(campaign),
      trip: (campaign: Campaign) => tripCampaign(campaign),
      resume: (campaign: Campaign) => resumeCampaign(campaign, t0),
      abort: (campaign: Campaign) => abortCampaign(campaign, t0),
      finish: (campaign: Campaign) => finishCampaign(campaign, t0),
      complete: (campaign: Campaign) => completeStage({ ...campaign, stage: campaignStages.length - 1 }, t0),
    };
    for (const state of campaignStates) {
      for (const [event, command] of Object.entries(commands)) {
        const transition = campaignTransitions[state][event as keyof typeof commands];
        const campaign = campaignWith({ state });
        if ('refuse' in transition) expect(faultOf(() => command(campaign))).toBe(`${transition.refuse} id`);
        else expect(transition.to).toContain(command(campaign).state);
      }
    }
  });

  it('goes on where it was paused', () => {
    expect(resumeCampaign(pauseCampaign(campaignWith()), t0).state).toBe('running');
    const waiting = campaignWith({ state: 'finishing', phase: 'wait' });
    expect(resumeCampaign(pauseCampaign(waiting), t0).state).toBe('finishing');
  });

  it('watches a sample before it takes more, and again after it was held by its budget', () => {
    const held = completeStage(campaignWith(), t0);
    expect(held).toMatchObject({ stage: 0, holdUntilMs: t0 + 5000 });
    expect(resumeCampaign(tripCampaign(held), t0 + 9000).holdUntilMs).toBe(t0 + 14_000);
    expect(completeStage(campaignWith({ totals: noTotals }), t0)).toMatchObject({
      stage: 1,
      holdUntilMs: null,
    });
  });

  it('ends when nobody is left, or at its deadline, with or without a policy', () => {
    const waiting = campaignWith({ state: 'finishing', phase: 'wait', totals: { ...noTotals, open: 1 } });
    expect(afterWaiting(waiting, t0 + 59_999)).toBe(waiting);
    expect(afterWaiting(waiting, t0 + 60_000).state).toBe('finished');
    expect(afterWaiting({ ...waiting, totals: noTotals }, t0).state).toBe('finished');
    expect(afterWaiting({ ...waiting, onDeadline: 'revoke' }, t0 + 60_000)).toMatchObject({
      state: 'finishing',
      phase: 'enforce',
    });
  });
});

describe('a selector', () => {
  const key = issued();
  it('means a key by keyspace, owner, scopes, age and state, and none that has ended', () => {
    const means = (change: object, one = key) => selects({ ...selector, ...change }, one, t0);
    expect(means({})).toBe(true);
    expect(means({ ownerId, scopes: ['orders:read'], state: 'active' })).toBe(true);
    expect(means({ scopes: ['orders:write'] })).toBe(false);
    expect(means({ issuedBeforeMs: t0 })).toBe(false);
    expect(means({ state: 'suspended' })).toBe(false);
    expect(means({ state: 'suspended' }, suspendKey(key, t0))).toBe(true);
    expect(means({}, revokeKey(key, {}, t0))).toBe(false);
    expect(means({ keyspaceIds: [] })).toBe(false);
  });

  it('has to be confirmed when it leaves nothing out', () => {
    expect(isUnnarrowed(selector, t0)).toBe(true);
    expect(isUnnarrowed({ ...selector, issuedBeforeMs: t0 - 1 }, t0)).toBe(false);
  });

  it('may meet another of the same keyspace, unless both are of one owner and not of the same', () => {
    expect(mayMeet(selector, { ...selector, ownerId })).toBe(true);
    expect(mayMeet({ ...selector, ownerId }, { ...selector, ownerId: `${ownerId}x` as typeof ownerId })).toBe(
      false,
    );
    expect(mayMeet(selector, { keyspaceIds: [], ownerId: null })).toBe(false);
  });

  it('takes its samples so that every key is in one stage and in one only', () => {
    for (let mark = 0; mark < 256; mark += 1) {
      const one = idFromUuidBytes('key', uuidV7(t0, new Uint8Array(10).fill(mark)));
      const stages = campaignStages.filter((_, stage) => isInRange(one, stageRanks(stage)));
      expect(stages, String(rankOf(one))).toHaveLength(1);
    }
  });
});

describe('what a campaign does to a key', () => {
  const key = issued();
  const chunkKey = { key, spread: 0.5, isAllowed: true, isHeldUp: false };
  const ask = (one = key) => {
    const outcome = takeKey(campaignWith(), { ...chunkKey, key: one }, t0);
    return outcome === 'suspended' ? undefined : outcome;
  };

  it('is asked once, within the window, and a second time is nothing', () => {
    const asked = ask();
    expect(asked?.after.traits).toEqual({ renewAfterMs: t0 + 500, campaign: id });
    expect(asked && ask(asked.after)).toBeUndefined();
    expect(takeKey(campaignWith(), { ...chunkKey, isAllowed: false }, t0)).toBeUndefined();
  });

  it('is not asked while its owner or keyspace is suspended, and is revoked all the same', () => {
    const heldUp = { ...chunkKey, isHeldUp: true };
    expect(takeKey(campaignWith(), heldUp, t0)).toBe('suspended');
    expect(takeKey(campaignWith(), { ...heldUp, isAllowed: false }, t0)).toBeUndefined();
    expect(takeKey(campaignWith({ kind: 'revoke' }), heldUp, t0)).toMatchObject({ event: 'key.revoked' });
  });

  it('is done with a renewal, which stays known, so that no holder is asked twice', () => {
    const asked = ask();
    const renewed = asked && rotated(asked.after, t0 + 700);
    expect(renewed?.traits).toEqual({ campaign: id });
    expect(renewed && ask(renewed)).toBeUndefined();
  });

  it('at the deadline is done to those that did not renew, or to the old versions of those that did', () => {
    const asked = ask()?.after ?? key;
    const renewed = rotated(asked, t0 + 700);
    const policy = (onDeadline: Campaign['onDeadline']) => ({ id, onDeadline });
    expect(enforceOn(policy('revoke'), asked, t0 + 800)?.after.state).toBe('revoked');
    expect(enforceOn(policy('revoke'), renewed, t0 + 800)).toBeUndefined();
    expect(enforceOn(policy('cut_old'), asked, t0 + 800)).toBeUndefined();
    const cut = enforceOn(policy('cut_old'), renewed, t0 + 800);
    expect(cut?.after.versions.map(({ state }) => state)).toEqual(['retired', 'active']);
    expect(cut && enforceOn(policy('cut_old'), cut.after, t0 + 900)).toBeUndefined();
    expect(enforceOn(policy('revoke'), key, t0 + 800)).toBeUndefined();
  });

  it('goes by a journal that begins each stage anew and goes back to none', () => {
    const far = { ...noProgress, stage: 1, isDone: true, after: keyId };
    expect(progressIn(far, 2)).toMatchObject({ stage: 2, isDone: false, after: null });
    expect(progressIn(far, 0)).toBe(far);
    expect(isSamePlace(far, { ...far, taken: 7 })).toBe(true);
    expect(isSamePlace(far, { ...far, after: null })).toBe(false);
  });
});

describe('the pace of a campaign', () => {
  const { pace } = campaignWith();
  const quiet = { answered: 1000, failed: 0, p99Ms: 10, busyShare: 0.5 };

  it('is halved while verifications are slow or fail, and comes back a tenth at a time', () => {
    const full = { rate: 640, throttledBy: null };
    const slowed = nextPace(pace, full, { ...quiet, p99Ms: 80 });
    expect(slowed).toEqual({ rate: 320, throttledBy: 'verify_p99' });
    expect(nextPace(pace, slowed, { ...quiet, failed: 20 })).toEqual({
      rate: 160,
      throttledBy: 'error_budget',
    });
    expect(nextPace(pace, slowed, { ...quiet, busyShare: 0.95 })).toEqual({
      rate: 160,
      throttledBy: 'server_load',
    });
    expect(nextPace(pace, slowed, quiet)).toEqual({ rate: 384, throttledBy: 'verify_p99' });
    expect(nextPace(pace, { ...slowed, rate: 600 }, quiet)).toEqual(full);
  });

  it('never stands still, and is not judged by a handful of verifications', () => {
    let now = nextPace(
      pace,
      { rate: 640, throttledBy: null },
      { ...quiet, answered: 5, p99Ms: 9000, busyShare: 1 },
    );
    expect(now.rate).toBe(640);
    for (let look = 0; look < 20; look += 1) now = nextPace(pace, now, { ...quiet, p99Ms: 80 });
    expect(now.rate).toBe(10);
    expect(isOverBudget(pace, { ...quiet, answered: 10, failed: 9 })).toBe(false);
    expect(isOverBudget(pace, { ...quiet, answered: 90, failed: 10 })).toBe(true);
  });
});

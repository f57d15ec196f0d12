import type { KeyId } from '@keyswarm/core';
import { expect, test } from 'vitest';
import { leaseAsksInFlightMax, snapshotRetryAfterMs, snapshotsAtOnceMax } from '../limits.ts';
import { systemRandom } from '../runtime/random.ts';
import { FeedDoor } from './feed-door.ts';

const one = 'key_one' as KeyId;
const other = 'key_other' as KeyId;

function doorOf(): { readonly door: FeedDoor; readonly closed: () => boolean } {
  let closed = false;
  const relay = {
    close: () => {
      closed = true;
    },
  };
  const door = new FeedDoor({ relay, random: systemRandom } as never);
  return { door, closed: () => closed };
}

const refusalOf = (enter: () => void): { readonly code: string; readonly retryAfterMs: number } => {
  try {
    enter();
  } catch (error) {
    return error as never;
  }
  throw new Error('it was let in');
};

test('a few snapshots at once, and who is turned away comes back at a time of its own', () => {
  const { door } = doorOf();
  const leaves = Array.from({ length: snapshotsAtOnceMax }, (_, at) =>
    door.enter('snapshot', at === 0 ? other : one),
  );
  const waits = Array.from({ length: 50 }, () => refusalOf(() => door.enter('snapshot', other)));
  expect(new Set(waits.map(({ code }) => code))).toEqual(new Set(['overloaded']));
  expect(new Set(waits.map(({ retryAfterMs }) => retryAfterMs)).size).toBeGreaterThan(10);
  for (const { retryAfterMs } of waits) expect(retryAfterMs).toBeGreaterThanOrEqual(snapshotRetryAfterMs / 2);
  leaves[1]?.();
  leaves[1]?.();
  door.enter('snapshot', other);
  expect(refusalOf(() => door.enter('snapshot', other)).code).toBe('overloaded');
});

test('snapshots and streams keep no lease ask waiting, and one key no other', () => {
  const { door } = doorOf();
  for (let at = 0; at < snapshotsAtOnceMax; at += 1) door.enter('snapshot', at === 0 ? other : one);
  for (let at = 0; at < leaseAsksInFlightMax / 2; at += 1) door.enter('lease', one);
  expect(refusalOf(() => door.enter('lease', one)).code).toBe('rate_limited');
  const leave = door.enter('lease', other);
  leave();
  expect(door.inside('lease')).toBe(leaseAsksInFlightMax / 2);
});

test.each(['lease', 'snapshot', 'stream', 'rows'] as const)(
  'one management key never takes all there is: %s',
  (kind) => {
    const { door } = doorOf();
    const leaves: (() => void)[] = [];
    const fill = () =>
      refusalOf(() => Array.from({ length: 10_000 }, () => leaves.push(door.enter(kind, one))));
    expect(fill().code).toBe('rate_limited');
    leaves.push(door.enter(kind, other));
    for (const leave of leaves) leave();
    expect(door.inside(kind)).toBe(0);
    door.enter(kind, one);
  },
);

test('once it is closed nobody is let in, and streams are ended', () => {
  const { door, closed } = doorOf();
  door.close();
  expect(closed()).toBe(true);
  for (const kind of ['lease', 'snapshot', 'stream', 'rows'] as const) {
    expect(refusalOf(() => door.enter(kind, one)).code).toBe('shutting_down');
  }
});

import { type FeedRow, idFromUuidText, type WorkspaceId } from '@keyswarm/core';
import { LeaseRoll } from '@keyswarm/verifier';
import { describe, expect, it } from 'vitest';
import { liveEndingsKept, liveEndingWatchMs, liveFollowPauseMs } from '../limits.ts';
import { ChangeWatch } from './change-watch.ts';

const workspaceId = idFromUuidText('ws', '01890000-0000-7000-8000-000000000001');
const stranger = idFromUuidText('ws', '01890000-0000-7000-8000-000000000002');
const subject = idFromUuidText('key', '01890000-0000-7000-8000-000000000003');
const leaseMs = 5_000;

function bench() {
  let nowMs = 1_000;
  let wanted = 0;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const roll = new LeaseRoll({ clock, onReport: (entry) => watch.reported(entry) });
  const watch = new ChangeWatch({
    clock,
    roll: () => roll.entries(),
    want: () => {
      wanted += 1;
    },
  });
  const report = (id: string, seq: number, of: WorkspaceId = workspaceId) =>
    roll.asked(
      { workspaceId: of, credential: 'key' },
      { id, name: `name of ${id}`, kind: 'node', applied: { epoch: 1, seqs: [seq] }, leaseAgeMs: 10 },
    );
  const change = (seq: number, type: FeedRow['type'] = 'key.revoked', of: WorkspaceId = workspaceId) => {
    const row: FeedRow = {
      epoch: 1,
      shard: 0,
      seq,
      type,
      atMs: nowMs,
      workspaceId: of,
      subject,
      key: null,
      owner: null,
      keyspace: null,
      data: {},
    };
    watch.applied({ epoch: 1, shard: 0, after: seq - 1, upTo: seq, rows: [row] });
  };
  return {
    watch,
    report,
    change,
    pass: (ms: number) => {
      nowMs += ms;
    },
    wanted: () => wanted,
  };
}

describe('changes of a workspace that is watched', () => {
  it('are counted by type, and those of another workspace are not', () => {
    const { watch, change } = bench();
    watch.watch(workspaceId);
    change(1, 'key.issued');
    change(2, 'key.issued');
    change(3, 'key.rotated');
    change(4, 'key.issued', stranger);
    expect(watch.counts(workspaceId)).toEqual({ 'key.issued': 2, 'key.rotated': 1 });
  });

  it('leave nothing behind where nobody watches, nor once the last has gone', () => {
    const { watch, change } = bench();
    change(1);
    watch.watch(workspaceId);
    change(2);
    watch.forget(workspaceId);
    expect(watch.endings(workspaceId, leaseMs)).toEqual([]);
    expect(watch.counts(workspaceId)).toEqual({});
  });
});

describe('a revocation as it spreads', () => {
  it('has reached a verifier once that says that it stands there, and not sooner', () => {
    const { watch, report, change, pass } = bench();
    watch.watch(workspaceId);
    report('a', 4);
    report('b', 4);
    change(5);
    pass(7);
    report('a', 4);
    expect(watch.endings(workspaceId, leaseMs)[0]).toMatchObject({ expected: 2, reached: [] });
    report('a', 5);
    pass(3);
    report('b', 6);
    report('a', 7);
    expect(watch.endings(workspaceId, leaseMs)[0]?.reached).toEqual([
      { verifier_id: 'a', name: 'name of a', after_ms: 7 },
      { verifier_id: 'b', name: 'name of b', after_ms: 10 },
    ]);
  });

  it('says the bound, which is the longest lease of the workspace where it is not of one keyspace', () => {
    const { watch, change } = bench();
    watch.watch(workspaceId);
    change(1, 'owner.suspended');
    expect(watch.endings(workspaceId, leaseMs)[0]?.bound_ms).toBe(5_050);
  });

  it('is not waited for at verifiers of another workspace, nor at one that came after it', () => {
    const { watch, report, change, pass } = bench();
    watch.watch(workspaceId);
    report('theirs', 0, stranger);
    change(1);
    pass(1);
    report('late', 1);
    expect(watch.endings(workspaceId, leaseMs)[0]).toMatchObject({ expected: 0, reached: [] });
  });

  it('asks verifiers to tell where they stand, but not once for each of many revocations', () => {
    const { watch, report, change, pass, wanted } = bench();
    watch.watch(workspaceId);
    for (const id of ['a', 'b', 'c']) report(id, 0);
    for (let seq = 1; seq <= 100; seq += 1) change(seq);
    expect(wanted()).toBe(1);
    pass(liveFollowPauseMs + 1);
    change(101);
    expect(wanted()).toBe(2);
  });

  it('is one of a few that are kept, and is followed for a while only', () => {
    const { watch, report, change, pass } = bench();
    watch.watch(workspaceId);
    report('a', 0);
    for (let seq = 1; seq <= liveEndingsKept + 5; seq += 1) {
      change(seq);
      pass(liveFollowPauseMs + 1);
    }
    expect(watch.endings(workspaceId, leaseMs)).toHaveLength(liveEndingsKept);
    pass(liveEndingWatchMs);
    report('a', 1_000);
    expect(watch.endings(workspaceId, leaseMs).every(({ reached }) => reached.length === 0)).toBe(true);
  });
});

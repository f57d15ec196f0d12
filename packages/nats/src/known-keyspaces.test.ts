import type { FeedRow, KeyspaceFact } from '@keyswarm/core';
import type { FeedStretch, SnapshotSink } from '@keyswarm/verifier';
import { beforeEach, describe, expect, test } from 'vitest';
import { KnownKeyspaces } from './known-keyspaces.ts';
import { TestPrimary } from './testing/test-primary.ts';

describe('what may be read', () => {
  let primary: TestPrimary;
  let known: KnownKeyspaces;
  let mine: KeyspaceFact;
  let foreign: KeyspaceFact;
  let committed: FeedStretch[];
  beforeEach(() => {
    primary = new TestPrimary();
    known = new KnownKeyspaces();
    mine = primary.keyspace;
    foreign = { ...primary.newKeyspace('other'), workspaceId: new TestPrimary().workspaceId };
    committed = [];
    primary.onCommitted = (stretch) => committed.push(stretch);
    known.heardIn(deafSink).keyspace(mine);
  });
  const issued = (keyspace: KeyspaceFact): FeedStretch => {
    primary.issue(keyspace);
    const stretch = committed.at(-1);
    if (stretch === undefined) throw new Error('it was committed');
    return stretch;
  };
  const without = (stretch: FeedStretch): FeedStretch => ({ ...stretch, rows: [] });

  test('is what was in the snapshot, and goes through untouched', () => {
    const stretch = issued(mine);
    expect(known.admitted(stretch)).toEqual(stretch);
  });

  test('is withheld until the relay has said whose it is, and left out when it left it out', () => {
    const stretch = issued(foreign);
    expect(known.admitted(stretch)).toBeUndefined();
    known.heard(without(stretch));
    expect(known.admitted(stretch)).toEqual(without(stretch));
    expect(known.admitted(issued(foreign))?.rows).toEqual([]);
  });

  test('is let through once the relay has sent a row of it', () => {
    const stretch = issued(foreign);
    expect(known.admitted(stretch)).toBeUndefined();
    known.heard(stretch);
    expect(known.admitted(stretch)).toEqual(stretch);
  });

  test('is not decided by rows of another range, shard or epoch', () => {
    const stretch = issued(foreign);
    known.admitted(stretch);
    known.heard({ ...without(stretch), upTo: stretch.after });
    known.heard({ ...without(stretch), shard: stretch.shard + 1 });
    known.heard({ ...without(stretch), epoch: 2 });
    expect(known.admitted(stretch)).toBeUndefined();
  });

  test('of owners goes by the workspace', () => {
    const row = (workspaceId: FeedRow['workspaceId']): FeedStretch => {
      const stretch = issued(mine);
      const owner = stretch.rows[0]?.owner ?? null;
      return {
        ...stretch,
        rows: stretch.rows.map((one) => ({ ...one, workspaceId, key: null, keyspace: null, owner })),
      };
    };
    expect(known.admitted(row(primary.workspaceId))?.rows).toHaveLength(1);
    expect(known.admitted(row(foreign.workspaceId))?.rows).toHaveLength(0);
  });

  test('ends before the first row of which it is not known', () => {
    const [first, second] = [issued(mine), issued(foreign)];
    const [a, b] = [first.rows[0], second.rows[0]];
    if (a === undefined || b === undefined) throw new Error('each has a row');
    const both = {
      epoch: 1,
      shard: 0,
      after: 0,
      upTo: 2,
      rows: [
        { ...a, shard: 0, seq: 1 },
        { ...b, shard: 0, seq: 2 },
      ],
    };
    expect(known.admittedStart(both)).toMatchObject({ after: 0, upTo: 1, rows: [{ seq: 1 }] });
    expect(known.admittedStart({ ...both, after: 1, rows: both.rows.slice(1) })).toBeUndefined();
  });
});

const deafSink: SnapshotSink = { key() {}, owner() {}, keyspace() {}, signingKey() {}, stretch() {} };

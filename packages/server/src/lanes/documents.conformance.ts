import { randomBytes } from 'node:crypto';
import { type DocumentRecord, Fault, type FeedRow, idFromUuidBytes, uuidV7, withBody } from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../runtime/clock.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createReader } from '../storage/reader.ts';
import type { Store } from '../storage/store.ts';
import type { Decision, LaneWrite } from './lane-port.ts';
import { createLanes, type RunningLanes } from './lanes.ts';
import { Sample } from './testing/sample.ts';

/** What every store has to let the lanes promise of documents. */
export function documentsConformance(openStore: () => Promise<Store>, shards: number): void {
  const rows: FeedRow[] = [];
  const sample = new Sample(shards);
  let store: Store;
  let lanes: RunningLanes;
  beforeAll(async () => {
    store = await openStore();
    lanes = createLanes({
      store,
      shards,
      clock: systemClock,
      timers: systemTimers,
      onCommitted: (committed) => rows.push(...committed),
    });
    await lanes.submit(sample.createKeyspace());
  }, 60_000);
  afterAll(async () => {
    await lanes.drain();
    await store.close();
  });

  const reader = () => createReader(store, { shards });
  const newDocument = (kind: 'camp' | 'note', body: DocumentRecord['body']): DocumentRecord => ({
    id: idFromUuidBytes(kind, uuidV7(systemClock.nowMs(), randomBytes(10), 0)),
    workspaceId: sample.workspaceId,
    body,
    createdAtMs: systemClock.nowMs(),
    updatedAtMs: systemClock.nowMs(),
    revision: 1,
  });
  const write = (
    document: DocumentRecord,
    decide: (now: DocumentRecord | undefined, nowMs: number) => Omit<Decision<null>, 'reply'>,
  ): LaneWrite<null> => ({
    shard: 0,
    weight: 1,
    actor: sample.actor,
    reads: { documents: [document.id] },
    decide: (view, nowMs) => ({ ...decide(view.document(document.id), nowMs), reply: null }),
  });

  describe('a document', () => {
    test('is there with what was decided about it, and says so in the feed where it is an event', async () => {
      const made = newDocument('camp', { state: 'running', done: 0 });
      rows.length = 0;
      await lanes.submit(
        write(made, () => ({
          changes: [{ kind: 'document', event: 'campaign.started', after: made, data: { keys: 3 } }],
        })),
      );
      expect(await reader().document(made.id)).toEqual(made);
      expect(rows).toMatchObject([
        { type: 'campaign.started', subject: made.id, key: null, owner: null, keyspace: null },
      ]);
    });

    test('changes one write after the other, and in silence where it is no event', async () => {
      const note = newDocument('note', { count: 0 });
      await lanes.submit(write(note, () => ({ changes: [], documents: [note] })));
      rows.length = 0;
      const count = (now: DocumentRecord | undefined, nowMs: number) => {
        const before = now ?? note;
        return {
          changes: [],
          documents: [withBody(before, { count: Number(before.body.count) + 1 }, nowMs)],
        };
      };
      await Promise.all(Array.from({ length: 20 }, () => lanes.submit(write(note, count))));
      expect(await reader().document(note.id)).toMatchObject({ body: { count: 20 }, revision: 21 });
      expect(rows).toEqual([]);
    });

    test('stays as it was when the write that would have changed it is refused', async () => {
      const note = newDocument('note', { count: 0 });
      await lanes.submit(write(note, () => ({ changes: [], documents: [note] })));
      const refused = lanes.submit(
        write(note, () => {
          throw new Fault('not_found', { detail: 'planned', field: '/x' });
        }),
      );
      await expect(refused).rejects.toMatchObject({ code: 'not_found' });
      expect(await reader().document(note.id)).toEqual(note);
    });

    test('is listed by kind, workspace and state, page by page', async () => {
      const made = ['running', 'paused', 'running'].map((state) => newDocument('camp', { state }));
      await Promise.all(
        made.map((document) => lanes.submit(write(document, () => ({ changes: [], documents: [document] })))),
      );
      const ids = made.map(({ id }) => id).sort();
      const { workspaceId } = sample;
      const list = { kind: 'camp', workspaceId, limit: 2 } as const;
      const first = await reader().documents({ ...list, limit: 200 });
      expect(first.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
      const paused = await reader().documents({ ...list, state: 'paused' });
      expect(paused.map(({ id }) => id)).toEqual([made[1]?.id]);
      const after = await reader().documents({ ...list, after: first.at(-2)?.id });
      expect(after).toEqual(first.slice(-1));
      const elsewhere = new Sample(shards).workspaceId;
      expect(await reader().documents({ ...list, workspaceId: elsewhere })).toEqual([]);
    });
  });
}

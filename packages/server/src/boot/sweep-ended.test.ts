import {
  type DocumentId,
  type DocumentKind,
  type DocumentRecord,
  idFromUuidBytes,
  shardOfId,
  uuidV7,
} from '@keyswarm/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultWorkspaceId } from '../access/named-ids.ts';
import { progressIdOf } from '../campaigns/campaign-documents.ts';
import { openMemoryStore } from '../lanes/testing/test-store.ts';
import { type RetentionPorts, sweepEnded } from '../retention/sweep-ended.ts';
import { systemRandom } from '../runtime/random.ts';
import { createReader } from '../storage/reader.ts';
import { insertDocuments } from '../storage/statements/documents.ts';
import { createDocumentRemoval } from '../storage/statements/remove-documents.ts';
import { insertCursors } from '../storage/statements/webhook-cursors.ts';
import type { Store } from '../storage/store.ts';

const shards = 4;
const dayMs = 86_400_000;
const nowMs = 1_800_000_000_000;
const never = new AbortController().signal;

let store: Store;
beforeAll(async () => {
  store = await openMemoryStore(shards);
}, 60_000);
afterAll(() => store.close());
beforeEach(async () => {
  for (const table of ['documents', 'webhook_cursors']) {
    await store.query({ name: '', text: `delete from ${table}` });
  }
});

const ports = (): RetentionPorts => ({
  reader: createReader(store, { shards }),
  removal: createDocumentRemoval(store, { shards }),
  storeClock: { nowMs: async () => nowMs },
  shards,
});

async function put(document: DocumentRecord): Promise<void> {
  await store.transaction((tx) => insertDocuments(tx, shardOfId(document.id, shards), [document]));
}

/** A document that was made so many days ago and changed last so many days ago. */
async function make<Kind extends DocumentKind>(kind: Kind, state: string, made: number, changed = made) {
  const createdAtMs = nowMs - made * dayMs;
  const id = idFromUuidBytes(kind, uuidV7(createdAtMs, systemRandom.bytes(10)));
  const updatedAtMs = nowMs - changed * dayMs;
  await put({ id, workspaceId: defaultWorkspaceId, body: { state }, createdAtMs, updatedAtMs, revision: 1 });
  return id;
}

const kept = async (): Promise<ReadonlySet<DocumentId>> => {
  const { reader } = ports();
  const all = await Promise.all(
    (['appr', 'camp', 'wh', 'sk', 'note'] as const).map((kind) => reader.documents({ kind, limit: 1_000 })),
  );
  return new Set(all.flat().map(({ id }) => id));
};

describe('what ended longer ago than it is kept', () => {
  it('is taken away, and nothing that lives or that ended since', async () => {
    const gone = await Promise.all([
      make('appr', 'denied', 100),
      make('appr', 'collected', 200, 91),
      make('appr', 'expired', 100),
      make('camp', 'aborted', 100),
      make('wh', 'deleted', 400, 95),
    ]);
    const staying = await Promise.all([
      make('appr', 'pending', 400),
      make('appr', 'approved', 400),
      make('appr', 'denied', 400, 89),
      make('appr', 'withdrawn', 3),
      make('camp', 'running', 400),
      make('camp', 'finished', 400, 5),
      make('wh', 'active', 400),
      make('wh', 'disabled', 400),
      make('sk', 'removed', 400),
    ]);
    expect(await sweepEnded(ports(), 90 * dayMs, never)).toBe(gone.length);
    expect(await kept()).toEqual(new Set(staying));
    expect(await sweepEnded(ports(), 90 * dayMs, never)).toBe(0);
  });

  it('takes what hangs on it along: the journal of a campaign, the places of a webhook', async () => {
    const campaign = await make('camp', 'finished', 100);
    const other = await make('camp', 'finished', 1);
    for (const id of [campaign, other]) {
      const at = nowMs - 100 * dayMs;
      for (let shard = 0; shard < shards; shard += 1) {
        const note = { id: progressIdOf(id, shard), workspaceId: defaultWorkspaceId, body: {}, revision: 1 };
        await put({ ...note, createdAtMs: at, updatedAtMs: at });
      }
    }
    const deleted = await make('wh', 'deleted', 100);
    const active = await make('wh', 'active', 100);
    for (const webhookId of [deleted, active]) {
      const cursors = { webhookId, workspaceId: defaultWorkspaceId, epoch: 1, seqs: Array(shards).fill(0) };
      await store.transaction((tx) => insertCursors(tx, cursors));
    }
    await sweepEnded(ports(), 90 * dayMs, never);
    const left = [other, active, ...Array.from({ length: shards }, (_, shard) => progressIdOf(other, shard))];
    expect(await kept()).toEqual(new Set(left));
    const places = await store.query({ name: '', text: 'select distinct webhook_id from webhook_cursors' });
    expect(places).toHaveLength(1);
  });

  it('is found past a page of what ended later', async () => {
    for (let count = 0; count < 230; count += 1) await make('appr', 'denied', 300 - count / 10, 5);
    const old = await make('appr', 'denied', 95);
    expect(await sweepEnded(ports(), 90 * dayMs, never)).toBe(1);
    expect((await kept()).has(old)).toBe(false);
  });

  it('is left where somebody has changed it since it was looked at', async () => {
    const id = await make('appr', 'denied', 100);
    const { removal } = ports();
    const late = { ...ports(), removal: { remove: (ids: readonly DocumentId[]) => removal.remove(ids, 0) } };
    expect(await sweepEnded(late, 90 * dayMs, never)).toBe(0);
    expect((await kept()).has(id)).toBe(true);
  });
});

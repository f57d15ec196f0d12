import { type AnyId, assert, shardOfId } from '@keyswarm/core';
import type { BatchView } from './batch-view.ts';
import { type DraftRow, draftRow } from './draft-row.ts';
import type { LaneEntry } from './lane-entry.ts';
import type { Change, Decision } from './lane-port.ts';
import type { RecordTable } from './record-table.ts';

export interface DecideContext {
  readonly shards: number;
  readonly nowMs: number;
}

/** What one write came to, before it has its place in the feed. */
export type Decided =
  | { readonly kind: 'done'; readonly reply: unknown; readonly rows: readonly DraftRow[] }
  | { readonly kind: 'refused'; readonly error: unknown };

/** Lets one write decide, and keeps all of what it decided or nothing. */
export function decideWrite(entry: LaneEntry, view: BatchView, context: DecideContext): Decided {
  const { write } = entry;
  try {
    write.actor.recheck?.();
    const decision = write.decide(view, context.nowMs);
    for (const owner of decision.newOwners ?? []) {
      if (view.owners.find(owner.id) === undefined) view.owners.put(owner.id, owner);
    }
    const rows = decision.changes.map((change) => {
      stageChange(change, view, write.shard, context.shards);
      return draftRow(change, view, { shard: write.shard, nowMs: context.nowMs, actor: write.actor });
    });
    const { shards } = context;
    for (const one of decision.documents ?? [])
      stage(view.documents, one.id, one, { shard: write.shard, shards });
    keepDecision(decision, view);
    return { kind: 'done', reply: decision.reply, rows };
  } catch (error) {
    view.drop();
    return { kind: 'refused', error };
  }
}

function stageChange(change: Change, view: BatchView, shard: number, shards: number): void {
  const { kind, after } = change;
  if (kind === 'key') stage(view.keys, after.id, after, { shard, shards });
  else if (kind === 'owner') stage(view.owners, after.id, after, { shard, shards });
  else if (kind === 'keyspace') stage(view.keyspaces, after.id, after, { shard, shards });
  else stage(view.documents, after.id, after, { shard, shards });
}

function stage<Id extends AnyId, Item extends { readonly revision: number }>(
  table: RecordTable<Id, Item>,
  id: Id,
  after: Item,
  { shard, shards }: { readonly shard: number; readonly shards: number },
): void {
  assert(shardOfId(id, shards) === shard, 'a write changes only things of its own shard');
  assert(after.revision === (table.find(id)?.revision ?? 0) + 1, 'a change raises the revision by one');
  table.put(id, after);
}

/** The last step, after all that can refuse the write. */
function keepDecision(decision: Decision<unknown>, view: BatchView): void {
  for (const change of decision.changes) {
    if (change.kind === 'key') view.learnFingerprints(change.after);
    if (change.kind === 'owner') view.ownersMade.add(change.after.id);
  }
  if (decision.newWorkspace !== undefined) view.workspaces.push(decision.newWorkspace);
  view.keep();
}

import { assert, bytesOfHex, type FeedRow, hexOf, type JsonValue } from '@keyswarm/core';
import { canonicalJson, chainHash } from '../feed/audit-chain.ts';
import { advanceHead } from '../storage/statements/advance-head.ts';
import { appendFeed } from '../storage/statements/append-feed.ts';
import type { Queryable } from '../storage/store.ts';
import type { DraftRow } from './draft-row.ts';

/** By what a batch is recognised later: the hash of its last audit record stands for everything up to it. */
export interface BatchProof {
  readonly seq: number;
  readonly auditHashHex: string;
}

export interface AppendedRows {
  readonly rows: readonly FeedRow[];
  readonly proof: BatchProof;
}

/** Numbers the rows and writes them with their audit records: the last two statements of a transaction. */
export async function appendRows(
  tx: Queryable,
  shard: number,
  drafts: readonly DraftRow[],
  atMs: number,
): Promise<AppendedRows> {
  const head = await advanceHead(tx, shard, drafts.length);
  assert(head !== undefined, 'every shard has a head row');
  const previous = bytesOfHex(head.auditHashHex, 32);
  assert(previous !== undefined, 'a head row holds a hash');
  const seqBefore = head.seq - drafts.length;
  let hash = previous;
  const rows: FeedRow[] = [];
  const bodies: { workspaceId: FeedRow['workspaceId']; type: string; body: string }[] = [];
  const records: { body: string; hashHex: string }[] = [];
  for (const [at, draft] of drafts.entries()) {
    const position = { epoch: head.epoch, seq: seqBefore + at + 1 };
    rows.push({ ...draft.row, ...position });
    bodies.push({
      workspaceId: draft.row.workspaceId,
      type: draft.row.type,
      body: JSON.stringify({ ...draft.encoded, ...position }),
    });
    const body = auditBody(draft, position);
    hash = chainHash(hash, body);
    records.push({ body, hashHex: hexOf(hash) });
  }
  const auditHashHex = hexOf(hash);
  await appendFeed(tx, { shard, seqBefore, atMs, rows: bodies, records, auditHashHex });
  return { rows, proof: { seq: head.seq, auditHashHex } };
}

/** The version of what an audit record says. */
const auditFormat = 1;

function auditBody(draft: DraftRow, position: { readonly epoch: number; readonly seq: number }): string {
  const { row, encoded, actor } = draft;
  const body: JsonValue = {
    v: auditFormat,
    epoch: position.epoch,
    shard: row.shard,
    seq: position.seq,
    at_ms: row.atMs,
    event: row.type,
    workspace_id: row.workspaceId,
    subject: row.subject,
    revision: draft.revision,
    data: encoded.data ?? {},
    actor: { workspace_id: actor.workspaceId, key_id: actor.keyId, request_id: actor.requestId },
  };
  return canonicalJson(body);
}

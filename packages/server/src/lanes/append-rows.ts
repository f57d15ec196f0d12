import { assert, bytesOfHex, type FeedRow, hexOf, type JsonValue } from '@keyswarm/core';
import { canonicalJson, chainHash } from '../feed/audit-chain.ts';
import { appendFeed, type FeedAppend, type Head } from '../storage/statements/append-feed.ts';
import { lockHead } from '../storage/statements/lock-head.ts';
import type { Queryable } from '../storage/store.ts';
import type { DraftRow } from './draft-row.ts';

export interface AppendedRows {
  readonly rows: readonly FeedRow[];
  /** Where the shard ended, and where it ends now. The hash stands for this batch and everything before it. */
  readonly before: Head;
  readonly head: Head;
}

export interface Drafts {
  readonly drafts: readonly DraftRow[];
  /** Told what the rows will follow: a guess at first, before the head is held, and again if that was wrong. */
  expectAfter(head: Head): Promise<void>;
}

/** In place of a head that nobody has told this process of. */
export const unknownHead: Head = Object.freeze({ epoch: 0, seq: 0, auditHashHex: '' });

/**
 * Numbers the rows and writes them with their audit records, at the end of a transaction. `known` is where this
 * process last left the shard: mostly it still ends there, and if it does not, the head is read and held.
 */
export async function appendRows(
  tx: Queryable,
  place: { readonly shard: number; readonly known: Head | undefined; readonly atMs: number },
  { drafts, expectAfter }: Drafts,
): Promise<AppendedRows> {
  const { shard, known, atMs } = place;
  await expectAfter(known ?? unknownHead);
  if (known !== undefined) {
    const numbered = numberRows(shard, known, drafts);
    const append = { ...numbered.append, atMs };
    if (await appendFeed(tx, append)) return { rows: numbered.rows, before: known, head: append.after };
  }
  const before = await lockHead(tx, shard);
  await expectAfter(before);
  const numbered = numberRows(shard, before, drafts);
  const append = { ...numbered.append, atMs };
  assert(await appendFeed(tx, append), 'a head that is held does not move');
  return { rows: numbered.rows, before, head: append.after };
}

interface NumberedRows {
  readonly rows: readonly FeedRow[];
  readonly append: Omit<FeedAppend, 'atMs'>;
}

function numberRows(shard: number, before: Head, drafts: readonly DraftRow[]): NumberedRows {
  const previous = bytesOfHex(before.auditHashHex, 32);
  assert(previous !== undefined, 'a head row holds a hash');
  let hash = previous;
  const rows: FeedRow[] = [];
  const bodies: { workspaceId: FeedRow['workspaceId']; type: string; body: string }[] = [];
  const records: { body: string; hashHex: string }[] = [];
  for (const [at, draft] of drafts.entries()) {
    const position = { epoch: before.epoch, seq: before.seq + at + 1 };
    rows.push({ ...draft.row, ...position });
    const { workspaceId, type } = draft.row;
    bodies.push({ workspaceId, type, body: JSON.stringify({ ...draft.encoded, ...position }) });
    const body = auditBody(draft, position);
    hash = chainHash(hash, body);
    records.push({ body, hashHex: hexOf(hash) });
  }
  const after = { epoch: before.epoch, seq: before.seq + drafts.length, auditHashHex: hexOf(hash) };
  return { rows, append: { shard, before, after, rows: bodies, records } };
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

import { assert } from '@keyswarm/core';
import { auditPageRows } from '../limits.ts';
import type { Queryable, Store } from '../storage/store.ts';
import { auditChainStart, chainHash } from './audit-chain.ts';

/** What a check of one shard's audit chain found. `seq` is the first record that is not as it was written. */
export type AuditCheck =
  | { readonly ok: true; readonly records: number }
  | { readonly ok: false; readonly seq: number; readonly reason: AuditProblem };

export type AuditProblem = 'missing' | 'altered' | 'misplaced' | 'end_differs';

const readHead = {
  name: 'audit_head',
  text: 'select seq, audit_hash from feed_heads where shard = $1::smallint',
};

const readRecords = {
  name: 'audit_records',
  text: `
    select seq, body, hash
    from audit
    where shard = $1::smallint and seq > $2::bigint and seq <= $3::bigint
    order by seq
    limit $4::integer`,
};

interface AuditRow {
  readonly seq: number;
  readonly body: string;
  readonly hash: Uint8Array;
}

/**
 * Recomputes the chain of one shard from its first record to its head, a page at a time. What is written
 * meanwhile lies behind that head and is not looked at.
 */
export async function verifyAudit(
  store: Store,
  shard: number,
  options: { readonly pageRows?: number } = {},
): Promise<AuditCheck> {
  const heads = await store.query<{ seq: number; audit_hash: Uint8Array }>(readHead, [shard]);
  const head = heads[0];
  assert(head !== undefined, 'every shard has a head row');
  let hash = auditChainStart;
  let seq = 0;
  while (seq < head.seq) {
    const page = await readPage(store, [shard, seq, head.seq, options.pageRows ?? auditPageRows]);
    if (page.length === 0) return broken(seq + 1, 'missing');
    for (const row of page) {
      if (row.seq !== seq + 1) return broken(seq + 1, 'missing');
      if (!standsAt(row, shard)) return broken(row.seq, 'misplaced');
      const expected = chainHash(hash, row.body);
      if (!sameBytes(expected, row.hash)) return broken(row.seq, 'altered');
      hash = expected;
      seq = row.seq;
    }
  }
  return sameBytes(hash, head.audit_hash) ? { ok: true, records: seq } : broken(head.seq, 'end_differs');
}

function readPage(store: Queryable, params: readonly unknown[]): Promise<readonly AuditRow[]> {
  return store.query<AuditRow>(readRecords, params);
}

/** A body that is no JSON, or names another place, was not written here. */
function standsAt(row: AuditRow, shard: number): boolean {
  try {
    const body: unknown = JSON.parse(row.body);
    if (typeof body !== 'object' || body === null) return false;
    return 'shard' in body && body.shard === shard && 'seq' in body && body.seq === row.seq;
  } catch {
    return false;
  }
}

function broken(seq: number, reason: AuditProblem): AuditCheck {
  return { ok: false, seq, reason };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

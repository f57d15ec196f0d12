import { createPostgresStore, type Row, type Store, verifyAudit } from '@keyswarm/server';
import type { AuditOfShard, FeedEntry, ShardOfFeed } from '../checker/evidence.ts';

/* What stands in the store at the end, read by SQL and past every server: the feed, the audit chain, and every row as text. */

export interface StoreEvidence {
  readonly feed: readonly ShardOfFeed[];
  readonly audit: readonly AuditOfShard[];
}

export async function readStore(databaseUrl: string): Promise<StoreEvidence> {
  const store = createPostgresStore({ url: databaseUrl, connectionsMax: 2 });
  try {
    const heads = await store.query<{ shard: number; seq: number }>({
      name: '',
      text: 'select shard, seq from feed_heads order by shard',
    });
    const feed: ShardOfFeed[] = [];
    const audit: AuditOfShard[] = [];
    for (const { shard, seq } of heads) {
      feed.push({ shard, headSeq: seq, rows: await readFeed(store, shard, seq) });
      audit.push(await readAudit(store, shard));
    }
    return { feed, audit };
  } finally {
    await store.close();
  }
}

async function readFeed(store: Store, shard: number, headSeq: number): Promise<readonly FeedEntry[]> {
  const text = `select seq, type, body->>'subject' as subject,
      case when body->'key'->>'id' = body->>'subject' then (body->'key'->>'revision')::integer end as revision
    from feed where shard = $1::smallint and seq <= $2::bigint order by seq`;
  const rows = await store.query<{ seq: number; type: string; subject: string; revision: number | null }>(
    { name: '', text },
    [shard, headSeq],
  );
  return rows.map((row) => ({ ...row, revision: row.revision ?? undefined }));
}

async function readAudit(store: Store, shard: number): Promise<AuditOfShard> {
  const check = await verifyAudit(store, shard);
  const text = `select distinct (body::json)->>'subject' || ' ' || ((body::json)->>'event') as deed
    from audit where shard = $1::smallint`;
  const deeds = await store.query<{ deed: string }>({ name: '', text }, [shard]);
  return {
    shard,
    ok: check.ok,
    records: check.ok ? check.records : check.seq - 1,
    problem: check.ok ? '' : `${check.reason} at ${check.seq}`,
    deeds: new Set(deeds.map(({ deed }) => deed)),
  };
}

/** Every row of every table, as text, a page at a time: what a dump of the database would hold. */
export async function* dumpStore(databaseUrl: string): AsyncGenerator<{ table: string; text: string }> {
  const store = createPostgresStore({ url: databaseUrl, connectionsMax: 2 });
  try {
    const tables = await store.query<{ name: string }>({
      name: '',
      text: `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
    });
    for (const { name } of tables) {
      const rows: readonly Row[] = await store.query({
        name: '',
        text: `select t::text as line from ${name} as t`,
      });
      for (let from = 0; from < rows.length; from += rowsAPage) {
        const page = rows.slice(from, from + rowsAPage);
        yield { table: name, text: page.map(({ line }) => String(line)).join('\n') };
      }
    }
  } finally {
    await store.close();
  }
}

const rowsAPage = 2_000;

import { createHash } from 'node:crypto';
import type { Client } from 'pg';

/* Writes a row of the feed that is in order but for what it says, and mends it. Past every server, by SQL. */

interface Head {
  readonly epoch: string;
  readonly seq: string;
  readonly audit_hash: Buffer;
}

/** Its format is one that nobody here knows. The audit chain goes on over it, as its writer would have seen to. */
export async function writePoison(client: Client, shard: number): Promise<number> {
  await client.query('begin');
  const { rows } = await client.query<Head>(
    'select epoch, seq, audit_hash from feed_heads where shard = $1 for update',
    [shard],
  );
  const [head] = rows;
  const workspaceId = (await client.query<{ id: string }>('select id from workspaces limit 1')).rows[0]?.id;
  if (head === undefined || workspaceId === undefined) throw new Error(`there is no shard ${shard}`);
  const seq = Number(head.seq) + 1;
  const audit = JSON.stringify({
    epoch: Number(head.epoch),
    event: 'key.updated',
    seq,
    shard,
    subject: 'poison',
    v: 99,
  });
  const hash = createHash('sha256').update(head.audit_hash).update(audit, 'utf8').digest();
  await client.query('insert into audit (shard, seq, body, hash) values ($1, $2, $3, $4)', [
    shard,
    seq,
    audit,
    hash,
  ]);
  await client.query(
    `insert into feed (shard, seq, day, at, workspace_id, type, body)
     values ($1, $2, (now() at time zone 'UTC')::date, now(), $3, 'key.updated', $4::json)`,
    [
      shard,
      seq,
      workspaceId,
      JSON.stringify({ v: 99, epoch: Number(head.epoch), shard, seq, type: 'key.updated' }),
    ],
  );
  await client.query('update feed_heads set seq = $2, audit_hash = $3 where shard = $1', [shard, seq, hash]);
  await client.query('commit');
  return seq;
}

/** Puts in its place what an earlier row of a key said: to apply that again is harmless. */
export async function mendPoison(client: Client, shard: number, seq: number): Promise<void> {
  const { rowCount } = await client.query(
    `update feed set body = (
       select (body::jsonb || jsonb_build_object('seq', $2::bigint, 'type', 'key.updated'))::json from feed
       where shard = $1 and seq < $2 and type in ('key.issued', 'key.updated') order by seq desc limit 1)
     where shard = $1 and seq = $2`,
    [shard, seq],
  );
  if (rowCount !== 1) throw new Error('the row could not be mended');
}

/**
 * The shard with the most keys of those without a keyspace, an owner or a management key: without one of these nobody could be
 * asked anything.
 */
export async function shardToPoison(
  client: Client,
): Promise<{ readonly shard: number; readonly shards: number }> {
  const { rows } = await client.query<{ shard: number; shards: number }>(
    `select shard, (select count(*)::integer from feed_heads) as shards from keys
     where shard not in (
       select shard from keyspaces union select shard from owners
       union select k.shard from keys k join keyspaces s on s.id = k.keyspace_id where s.name = 'keyswarm')
     group by shard order by count(*) desc limit 1`,
  );
  const [found] = rows;
  if (found === undefined) throw new Error('every shard with keys has a keyspace or an owner as well');
  return found;
}

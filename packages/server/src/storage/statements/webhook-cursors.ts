import { idFromUuidText, uuidHexOf, type WebhookId, type WorkspaceId } from '@keyswarm/core';
import type { Queryable } from '../store.ts';

/*
 * How far a webhook has been served in each shard. A row is claimed by one process for a while; every write of the
 * place renews the claim and takes part only while it holds, so that a process which was taken for dead can not put
 * the place back. All times are the engine's own.
 */

const insertStatement = {
  name: 'insert_webhook_cursors',
  text: `
    insert into webhook_cursors (shard, webhook_id, workspace_id, epoch, seq, attempts)
    select c.nth - 1, $1::uuid, $2::uuid, $3::bigint, c.seq, 0
    from unnest($4::bigint[]) with ordinality as c (seq, nth)
    on conflict on constraint webhook_cursors_pkey do nothing`,
};

export interface NewCursors {
  readonly webhookId: WebhookId;
  readonly workspaceId: WorkspaceId;
  readonly epoch: number;
  /** One a shard: what was committed before the webhook was made. */
  readonly seqs: readonly number[];
}

/** Does nothing to those that are there. */
export async function insertCursors(tx: Queryable, cursors: NewCursors): Promise<void> {
  const { webhookId, workspaceId, epoch, seqs } = cursors;
  await tx.query(insertStatement, [uuidHexOf(webhookId), uuidHexOf(workspaceId), epoch, seqs]);
}

const claimStatement = {
  name: 'claim_webhook_cursors',
  text: `
    update webhook_cursors c
    set claimed_by = $1::text, claimed_until = clock_timestamp() + make_interval(secs => $2::double precision)
    from feed_heads h
    where h.shard = c.shard
      and (c.seq < h.seq or c.epoch <> h.epoch)
      and (c.claimed_until is null or c.claimed_until < clock_timestamp())
      and (c.retry_at is null or c.retry_at <= clock_timestamp())
      and (c.shard, c.webhook_id) in (
        select d.shard, d.webhook_id
        from (
          select w.shard, w.webhook_id, w.retry_at, room.places,
            row_number() over (partition by w.workspace_id order by w.retry_at nulls first) as nth
          from webhook_cursors w
          join unnest($3::uuid[], $5::integer[]) as room (webhook_id, places) on room.webhook_id = w.webhook_id
          join feed_heads g on g.shard = w.shard
          where (w.seq < g.seq or w.epoch <> g.epoch)
            and (w.claimed_until is null or w.claimed_until < clock_timestamp())
            and (w.retry_at is null or w.retry_at <= clock_timestamp())
        ) d
        where d.nth <= d.places
        order by d.nth, d.retry_at nulls first
        limit $4::integer)
    returning c.shard, c.webhook_id, c.epoch, c.seq, c.attempts, h.epoch as head_epoch, h.seq as head_seq`,
};

export interface ClaimedCursor {
  readonly shard: number;
  readonly webhookId: WebhookId;
  readonly epoch: number;
  readonly seq: number;
  /** Failed attempts at the event after `seq`. */
  readonly attempts: number;
  readonly headEpoch: number;
  readonly headSeq: number;
}

interface ClaimRow {
  readonly shard: number;
  readonly webhook_id: string;
  readonly epoch: number;
  readonly seq: number;
  readonly attempts: number;
  readonly head_epoch: number;
  readonly head_seq: number;
}

/** Places that are behind the feed, that nobody serves, and that are due. */
export async function claimCursors(
  tx: Queryable,
  claim: {
    readonly claimant: string;
    readonly claimMs: number;
    /** With how many places its workspace may take, all its webhooks together. */
    readonly webhooks: readonly { readonly id: WebhookId; readonly places: number }[];
    readonly limit: number;
  },
): Promise<readonly ClaimedCursor[]> {
  const { claimant, claimMs, webhooks, limit } = claim;
  const rows = await tx.query<ClaimRow>(claimStatement, [
    claimant,
    claimMs / 1000,
    webhooks.map(({ id }) => uuidHexOf(id)),
    limit,
    webhooks.map(({ places }) => places),
  ]);
  return rows.map((row) => ({
    shard: row.shard,
    webhookId: idFromUuidText('wh', row.webhook_id),
    epoch: row.epoch,
    seq: row.seq,
    attempts: row.attempts,
    headEpoch: row.head_epoch,
    headSeq: row.head_seq,
  }));
}

const saveStatement = {
  name: 'save_webhook_cursor',
  text: `
    update webhook_cursors
    set epoch = $4::bigint, seq = $5::bigint, attempts = $6::integer,
      failing_since = case when $7::boolean then coalesce(failing_since, clock_timestamp()) end,
      last_error = case when $7::boolean then coalesce($10::text, last_error) end,
      retry_at = clock_timestamp() + make_interval(secs => $8::double precision),
      claimed_until = case when $9::double precision is not null
        then clock_timestamp() + make_interval(secs => $9::double precision) end
    where shard = $1::smallint and webhook_id = $2::uuid and claimed_by = $3::text
      and claimed_until >= clock_timestamp()
    returning coalesce(extract(epoch from clock_timestamp() - failing_since), 0)::double precision as failing_seconds`,
};

export interface SavedCursor {
  readonly shard: number;
  readonly webhookId: WebhookId;
  readonly claimant: string;
  readonly epoch: number;
  readonly seq: number;
  readonly attempts: number;
  /** Has the consumer refused since it last took something? */
  readonly isFailing: boolean;
  /** Why, in a few words; null: as before. */
  readonly lastError: string | null;
  /** When it is due again; null: at once. */
  readonly retryInMs: number | null;
  /** How long the claim goes on; null: it is given back. */
  readonly claimMs: number | null;
}

/** For how long it has been failing; undefined when the claim was lost, and then nothing was written. */
export async function saveCursor(tx: Queryable, cursor: SavedCursor): Promise<number | undefined> {
  const rows = await tx.query<{ failing_seconds: number }>(saveStatement, [
    cursor.shard,
    uuidHexOf(cursor.webhookId),
    cursor.claimant,
    cursor.epoch,
    cursor.seq,
    cursor.attempts,
    cursor.isFailing,
    cursor.retryInMs === null ? null : cursor.retryInMs / 1000,
    cursor.claimMs === null ? null : cursor.claimMs / 1000,
    cursor.lastError,
  ]);
  const row = rows[0];
  return row === undefined ? undefined : row.failing_seconds * 1000;
}

const hastenStatement = {
  name: 'hasten_webhook_cursors',
  text: `
    update webhook_cursors set retry_at = null, attempts = 0, failing_since = null, last_error = null
    where webhook_id = $1::uuid and retry_at is not null`,
};

const resumeStatement = {
  name: 'resume_webhook_cursors',
  text: 'update webhook_cursors set retry_at = null where webhook_id = $1::uuid and retry_at > clock_timestamp()',
};

/** What waits for another try is due at once, and counts its attempts on: its consumer takes events again. */
export async function resumeCursors(tx: Queryable, webhookId: WebhookId): Promise<void> {
  await tx.query(resumeStatement, [uuidHexOf(webhookId)]);
}

/** What failed is due at once, and begins anew: its webhook was changed. */
export async function hastenCursors(tx: Queryable, webhookId: WebhookId): Promise<void> {
  await tx.query(hastenStatement, [uuidHexOf(webhookId)]);
}

const backlogStatement = {
  name: 'read_webhook_backlog',
  text: `
    select coalesce(sum(h.seq - c.seq), 0)::bigint as rows,
      coalesce(max(extract(epoch from clock_timestamp() - f.at)), 0)::double precision as oldest_seconds
    from webhook_cursors c
    join feed_heads h on h.shard = c.shard
    left join lateral (
      select at from feed where feed.shard = c.shard and feed.seq > c.seq order by feed.seq limit 1
    ) f on true
    where c.webhook_id = any($1::uuid[]) and c.seq < h.seq`,
};

export interface Backlog {
  /** Rows of the feed that have not been looked through for a webhook; not all of them concern it. */
  readonly rows: number;
  readonly oldestSeconds: number;
}

export async function readBacklog(tx: Queryable, webhooks: readonly WebhookId[]): Promise<Backlog> {
  const rows = await tx.query<{ rows: number; oldest_seconds: number }>(backlogStatement, [
    webhooks.map(uuidHexOf),
  ]);
  return { rows: rows[0]?.rows ?? 0, oldestSeconds: rows[0]?.oldest_seconds ?? 0 };
}

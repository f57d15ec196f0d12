import { idFromUuidText, uuidHexOf } from '@keyswarm/core';
import type { DeliveryHealth, DeliveryHealthReader } from '../delivery-health-port.ts';
import type { Store } from '../store.ts';

/*
 * One row a webhook, of its places in all shards. In a new epoch the numbers of a place say nothing of how much there is
 * to come, so everything that the shard holds counts. The one that fails for longest speaks for all.
 */
const statement = {
  name: 'read_delivery_health',
  text: `
    select c.webhook_id, min(c.failing_since) as failing_since,
      (array_agg(c.attempts order by c.failing_since nulls last))[1] as attempts,
      (array_agg(c.last_error order by c.failing_since nulls last))[1] as last_error,
      min(c.retry_at) filter (where c.failing_since is not null) as retry_at,
      sum(case when c.epoch = h.epoch then greatest(h.seq - c.seq, 0) else h.seq end)::double precision as waiting
    from webhook_cursors c
    join feed_heads h on h.shard = c.shard
    where c.webhook_id = any($1::uuid[])
    group by c.webhook_id`,
};

interface HealthRow {
  readonly webhook_id: string;
  readonly failing_since: number | null;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly retry_at: number | null;
  readonly waiting: number;
}

export function createDeliveryHealthReader(store: Store): DeliveryHealthReader {
  return {
    async of(webhooks) {
      if (webhooks.length === 0) return new Map();
      const rows = await store.query<HealthRow>(statement, [webhooks.map(uuidHexOf)]);
      return new Map(rows.map((row) => [idFromUuidText('wh', row.webhook_id), healthOf(row)] as const));
    },
  };
}

function healthOf(row: HealthRow): DeliveryHealth {
  const isFailing = row.failing_since !== null;
  return {
    failingSinceMs: row.failing_since,
    attempts: isFailing ? row.attempts : 0,
    lastError: isFailing ? row.last_error : null,
    retryAtMs: row.retry_at,
    waitingAtMost: row.waiting,
  };
}

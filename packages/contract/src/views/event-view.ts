import type { FeedRow } from '@keyswarm/core';
import type { CloudEvent } from '../schemas/events.ts';
import { timeText } from './time.ts';

/**
 * A feed row as a CloudEvent 1.0. `source` and `id` together are unique (CloudEvents, section "id"): the id is the
 * row's place in the feed, which never names another row, because a new epoch begins whenever sequence numbers
 * might be given twice. `data` is what the row says in public; facts and fingerprints stay inside.
 */
export function eventView(row: FeedRow): CloudEvent {
  return {
    specversion: '1.0',
    id: `${row.epoch}-${row.shard}-${row.seq}`,
    source: `/v1/workspaces/${row.workspaceId}`,
    type: `dev.keyswarm.${row.type}`,
    subject: row.subject,
    time: timeText(row.atMs),
    datacontenttype: 'application/json',
    data: row.data,
  };
}

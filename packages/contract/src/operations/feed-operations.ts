import {
  feedFrames,
  feedMediaType,
  feedRowsQuery,
  feedSnapshotQuery,
  feedStreamQuery,
  leaseAnswer,
  leaseAsk,
  verifierList,
} from '../schemas/feed.ts';
import { bodyLimitBytes } from '../wire-limits.ts';
import { operation } from './operation.ts';
import { routes } from './routes.ts';

/* The operations of verifiers that run elsewhere, and of those who watch them. */
export const feedOperations = {
  askLease: operation(routes.askLease, {
    summary: 'Ask how far the feed goes',
    description:
      'The heads of all shards, read from the primary after this ask (`age_ms` 0) or known to a relay since `age_ms`. Once a verifier has applied all of them, its lease counts from when it asked, less that age.',
    scope: 'feed:read',
    perKeyspace: true,
    body: leaseAsk,
    bodyLimitBytes: bodyLimitBytes.lease,
    reply: leaseAnswer,
    faults: ['store_unavailable', 'not_found'],
  }),
  getFeedSnapshot: operation(routes.getFeedSnapshot, {
    summary: 'Take a snapshot of the feed',
    description:
      'Every fact that a verifier needs, as frames. Cut off before its `end` frame it is worth nothing.',
    scope: 'feed:read',
    perKeyspace: true,
    query: feedSnapshotQuery,
    reply: feedFrames,
    replyType: feedMediaType,
    faults: ['not_found'],
  }),
  getFeedRows: operation(routes.getFeedRows, {
    summary: 'Read rows of one shard of the feed',
    description:
      'One `stretch` frame. Rows that are not for this reader are left out of it; its own ends say how far it goes. `gone`: take a snapshot.',
    scope: 'feed:read',
    perKeyspace: true,
    query: feedRowsQuery,
    reply: feedFrames,
    replyType: feedMediaType,
    faults: ['store_unavailable', 'not_found', 'gone', 'bad_feed_row'],
  }),
  streamFeed: operation(routes.streamFeed, {
    summary: 'Follow the feed as it commits',
    description:
      'Frames until either side closes: `hello`, then what commits, and heartbeats. It shortens delay and proves nothing: leases are asked for.',
    scope: 'feed:read',
    perKeyspace: true,
    query: feedStreamQuery,
    reply: feedFrames,
    replyType: feedMediaType,
    faults: ['not_found', 'gone'],
  }),
  listVerifiers: operation(routes.listVerifiers, {
    summary: 'List the verifiers',
    description: 'Who they are, where, how far they are behind, and whether they may hold a lease. By name.',
    scope: 'verifiers:read',
    perKeyspace: false,
    reply: verifierList,
    faults: ['store_unavailable'],
  }),
};

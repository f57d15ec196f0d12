/*
 * NATS as a transport of the feed: it shortens the way of a change across nodes and regions, and no promise rests
 * on it.
 */

export { NatsUnanswered } from './ask-over-nats.ts';
export { StreamDiffers, type StreamLimits } from './ensure-stream.ts';
export {
  createFeedPublisher,
  type FeedPublisher,
  type FeedPublisherOptions,
  type PublisherStats,
} from './feed-publisher.ts';
export {
  createNatsFeedSource,
  type NatsFeedSource,
  type NatsFeedSourceOptions,
  type NatsFeedStats,
} from './nats-feed-source.ts';
export { NatsLink, type NatsLinkOptions, type NatsLinkState } from './nats-link.ts';
export { natsAddress } from './nats-settings.ts';
export {
  type FeedService,
  type LeaseAsked,
  type RowsAsked,
  type ServedFeed,
  type ServeFeedOptions,
  serveFeedOverNats,
} from './serve-feed.ts';

/*
 * The data plane as a library: it runs in any Node process.
 */

export { AuthorityClock } from './clock/authority-clock.ts';
export type { IndexSeed } from './clock/index-seed.ts';
export { ManualVerifierClock } from './clock/manual-verifier-clock.ts';
export { systemVerifierClock } from './clock/system-verifier-clock.ts';
export {
  type BesideTerms,
  createVerifier,
  type OpenBeside,
  type VerifierOptions,
  type VerifierPorts,
} from './create-verifier.ts';
export { type LoadedSnapshot, loadSnapshot, type WhyNotLoaded } from './disk/load-snapshot.ts';
export { type SavedSnapshot, saveSnapshot } from './disk/save-snapshot.ts';
export type { Fact, FactFilter } from './feed/fact.ts';
export type {
  FeedListener,
  FeedSource,
  FeedStretch,
  FeedSubscription,
  FeedView,
  Heads,
  LeaseAnswer,
  LeaseAsk,
  RowRange,
  SnapshotEnd,
  SnapshotSink,
  TablePlace,
  WallBounds,
} from './feed/feed-source.ts';
export { BadFeedRow } from './follow/bad-feed-row.ts';
export { type Follower, type FollowerOptions, startFollower } from './follow/follower.ts';
export type { FollowerState, ReloadReason } from './follow/follower-state.ts';
export {
  createHttpFeedSource,
  type HttpFeedSource,
  type HttpFeedSourceOptions,
} from './http/http-feed-source.ts';
export {
  type DownstreamVerifier,
  decodeLeaseAnswer,
  decodeLeaseRequest,
  encodeLeaseAnswer,
  encodeLeaseRequest,
  type LeaseRequest,
  type VerifierIdentity,
  type VerifierKind,
} from './http/lease-messages.ts';
export {
  BadAnswer,
  RelayBusy,
  RelayError,
  RelayFailed,
  RelayGone,
  RelayRefused,
  RelayUnreachable,
} from './http/relay-errors.ts';
export {
  createRelayPool,
  type PooledRelay,
  type RelayMove,
  type RelayPool,
  type RelayPoolOptions,
} from './http/relay-pool.ts';
export {
  feedMediaType,
  type ServeTo,
  type StreamAsked,
  type StreamEnd,
  type StreamHello,
  serveRows,
  serveSnapshot,
  serveStream,
} from './http/serve-feed.ts';
export type { FallbackOptions } from './library/authority-fallback.ts';
export type {
  AuthorityVerdict,
  FreshRequirement,
  KeyRequirement,
  ResidentAnswer,
  Verifier,
  VerifierLog,
  VerifierNumbers,
} from './library/verifier-api.ts';
export type { StateChange, VerifierEvents, VerifierState } from './library/verifier-events.ts';
export { whyOf } from './library/why-of.ts';
export { type FeedFilter, feedView, letsKeyspace } from './relay/feed-filter.ts';
export { FeedRelay, type FeedRelayOptions, type RelayedSource } from './relay/feed-relay.ts';
export {
  LeaseRoll,
  type LeaseRollOptions,
  type RollEntry,
  type RollOwner,
  rollKey,
} from './relay/lease-roll.ts';
export { type Reach, reachesKeyspace, reachOf, wholeReach } from './relay/reach.ts';
export type { FeedOrigin, PrimaryOrigin, RelayOrigin } from './relay/relay-origin.ts';
export { countOf, type RollIdentity, type RollReport, standsAt } from './relay/roll-report.ts';
export type { FactsReader, RelayFact, TailedReading } from './relay/snapshot-reading.ts';
export {
  createResidentVerifier,
  type ResidentVerifierOptions,
  type VerifierLimits,
} from './resident-verifier.ts';
export { noContent, type RequestContent, type SignedRequest } from './signatures/signed-request.ts';
export type { KeyUse } from './uses/key-use.ts';
export { UseReporter } from './uses/use-reporter.ts';
export { fingerprintOf } from './verdict/fingerprint.ts';
export type { MacKeysOf, NonceLimits } from './verdict/judge-request.ts';
export { hasApplied, mayBeNews } from './verdict/news.ts';
export type {
  Applied,
  AppliedObserver,
  FoundKey,
  HeldVersion,
  Requirement,
  ResidentVerifier,
  SnapshotLoad,
  VerifierClock,
  VerifierStats,
} from './verifier-port.ts';
export { BadFrame } from './wire/bad-frame.ts';
export { readSnapshot, type SnapshotReading, writeSnapshot } from './wire/snapshot.ts';

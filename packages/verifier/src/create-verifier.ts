import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { hexOf, type Secret } from '@keyswarm/core';
import { AuthorityClock } from './clock/authority-clock.ts';
import { systemVerifierClock } from './clock/system-verifier-clock.ts';
import type { FeedSource } from './feed/feed-source.ts';
import { type Follower, startFollower } from './follow/follower.ts';
import { takeLeave } from './follow/take-leave.ts';
import { createHttpFeedSource } from './http/http-feed-source.ts';
import type { DownstreamVerifier, VerifierIdentity, VerifierKind } from './http/lease-messages.ts';
import { createRelayPool, type RelayPool } from './http/relay-pool.ts';
import { AuthorityFallback, type FallbackOptions } from './library/authority-fallback.ts';
import { checkOptions } from './library/check-options.ts';
import { CountedSource } from './library/counted-source.ts';
import { LateFollower } from './library/late-follower.ts';
import { LeaseWatch } from './library/lease-watch.ts';
import { LibraryVerifier } from './library/library-verifier.ts';
import { logEvents } from './library/log-events.ts';
import { SnapshotKeeper } from './library/snapshot-keeper.ts';
import type { Verifier, VerifierLog } from './library/verifier-api.ts';
import { Listeners } from './library/verifier-events.ts';
import { stateLookMs } from './limits.ts';
import { createResidentVerifier } from './resident-verifier.ts';
import { type Random, systemRandom } from './runtime/random.ts';
import { systemTimers, type Timers } from './runtime/timers.ts';
import { UseReporter } from './uses/use-reporter.ts';
import type { MacKeysOf } from './verdict/judge-request.ts';
import type { AppliedObserver, VerifierClock } from './verifier-port.ts';

/*
 * Keyswarm in any Node service: a verifier in this process, fed by one relay or several.
 *
 *   const verifier = createVerifier({ relays: 'https://keys.example', credential: process.env.KEYSWARM_VERIFIER_KEY });
 *   await verifier.ready;
 *   const answer = verifier.verify(presented, { keyspace: 'orders_live', scopes: ['orders:read'] });
 *   if (answer.valid === true) serve(answer.owner);
 *   else if (answer.valid === false) refuse(401);
 *   else refuse(503);
 *
 * It holds a replica of what the credential may read, and answers from memory. Every `valid` is covered by the lease of
 * its keyspace: once a revocation has been acknowledged for as long as that lease, no verifier says `valid` to the key,
 * whatever the network does; a verifier that hears nothing says `stale`, which is no verdict and deserves a 503.
 */

export interface VerifierOptions {
  /** One relay's URL, several, or a source of another kind (a broker beside a relay, the authority in process). */
  readonly relays: string | readonly string[] | FeedSource;
  /** A management key with the scope `feed:read`. Required with URLs. Shown nowhere. */
  readonly credential?: Secret | string | undefined;
  /** What people see in the list of verifiers; the name of this machine by default. */
  readonly name?: string | undefined;
  readonly region?: string | undefined;
  /** 1 to 64 of `A-Z a-z 0-9 . _ -`, one a running verifier; drawn by chance by default. */
  readonly id?: string | undefined;
  readonly kind?: VerifierKind | undefined;
  /** Ids or names; absent: all that the credential may read. */
  readonly keyspaces?: readonly string[] | undefined;
  readonly lease?: {
    /** How often it is asked for; 250 ms by default. */ readonly askMs?: number | undefined;
  };
  /**
   * A file to begin from the next time: loaded before the feed is followed (and stale until it is), written every few
   * minutes and at `close`. It is of one credential and the keyspaces named, and of no use to another.
   */
  readonly snapshotPath?: string | undefined;
  /** Puts another transport before the relays, with them behind it: a broker. Only where `relays` are URLs. */
  readonly beside?: OpenBeside | undefined;
  /** Answers of the authority for what is stale here; absent: none are asked for. */
  readonly fallback?: FallbackOptions | undefined;
  readonly log?: VerifierLog | undefined;
  /** Told of what is applied: how a relay is built on this. */
  readonly observer?: AppliedObserver | undefined;
  /** Opens the secrets with which keys sign that have no public key; absent: what they sign is `stale` here. */
  readonly macKeysOf?: MacKeysOf | undefined;
  /** For a relay: who follows it, as told upstream. */
  readonly downstream?: (() => readonly DownstreamVerifier[]) | undefined;
  readonly ports?: VerifierPorts | undefined;
}

/** What a transport that stands before the relays is told of this verifier: what the relays are told. */
export interface BesideTerms {
  readonly identity: VerifierIdentity;
  readonly credential: Secret | string;
  readonly keyspaces: readonly string[] | undefined;
  readonly downstream: (() => readonly DownstreamVerifier[]) | undefined;
}

export type OpenBeside = (
  relays: FeedSource,
  terms: BesideTerms,
) => { readonly source: FeedSource; close(): void };

/** For tests and replays; the machine's own by default. */
export interface VerifierPorts {
  readonly machine?: Pick<VerifierClock, 'monotonicMs' | 'wallMs'> | undefined;
  readonly timers?: Timers | undefined;
  readonly random?: Random | undefined;
}

/** @throws {TypeError} for options that can't be meant; nothing is opened then. */
export function createVerifier(options: VerifierOptions): Verifier {
  checkOptions(options);
  const {
    machine = systemVerifierClock(),
    timers = systemTimers,
    random = systemRandom,
  } = options.ports ?? {};
  const clock = new AuthorityClock(machine);
  const keeper = openKeeper(options, { timers, random });
  const resident = createResidentVerifier({
    clock,
    observer: keeper ?? options.observer,
    macKeysOf: options.macKeysOf,
  });
  const listeners = new Listeners((error) => options.log?.error({ err: error }, 'a listener has failed'));
  const agingAfterMs = () => resident.leaseBounds().minMs / 2;
  const relays = openRelays(options, { timers, random, clock, agingAfterMs, listeners });
  const source = new CountedSource(relays.source);
  const fallback = openFallback(options, timers);
  if (options.log !== undefined) logEvents(listeners, options.log);
  const watch = new LeaseWatch({ resident, listeners, isRefused: () => relays.pool?.isRefused ?? false });
  const stopLooking = timers.every(stateLookMs, () => watch.look());
  const uses = new UseReporter((countMax) => resident.takeUses(countMax), clock);
  const follow = (): Follower =>
    startFollower({
      uses,
      source,
      verifier: resident,
      clock,
      timers,
      random,
      authorityClock: clock,
      ...(options.lease?.askMs === undefined ? {} : { pollMs: options.lease.askMs }),
      onState: (state) => watch.follow(state),
    });
  const follower = keeper === undefined ? follow() : new LateFollower(keeper.load(resident), follow);
  keeper?.keepSaving(resident);
  return new LibraryVerifier({
    resident,
    follower,
    uses,
    clock,
    watch,
    listeners,
    source,
    pool: relays.pool,
    fallback,
    keeper,
    takeLeave: () => takeLeave(source, uses, timers),
    release: () => {
      stopLooking();
      for (const relay of relays.opened) relay.close();
    },
  });
}

interface RelayPorts {
  readonly timers: Timers;
  readonly random: Random;
  readonly clock: VerifierClock;
  readonly agingAfterMs: () => number;
  readonly listeners: Listeners;
}

interface Relays {
  readonly source: FeedSource;
  readonly pool: RelayPool | undefined;
  readonly opened: readonly { close(): void }[];
}

function openRelays(options: VerifierOptions, ports: RelayPorts): Relays {
  const { relays, credential, keyspaces, downstream } = options;
  if (!isUrls(relays)) return { source: relays, pool: undefined, opened: [] };
  const urls = typeof relays === 'string' ? [relays] : relays;
  if (credential === undefined) throw new TypeError('`credential` is required to follow a relay by its URL');
  if (urls.length === 0) throw new TypeError('`relays` must name at least one relay');
  const identity = identityOf(options, ports.random);
  const place = { epoch: undefined };
  const opened = urls.map((url) =>
    createHttpFeedSource({
      url,
      credential,
      identity,
      keyspaces,
      place,
      downstream,
      timers: ports.timers,
      random: ports.random,
    }),
  );
  const { timers, random, clock, agingAfterMs, listeners } = ports;
  const pool = createRelayPool({
    relays: opened.map((source) => ({ name: source.origin, source })),
    timers,
    random,
    clock,
    agingAfterMs,
    onMove: (move) => listeners.emit('moved', move),
  });
  const before = options.beside?.(pool, { identity, credential, keyspaces, downstream });
  if (before === undefined) return { source: pool, pool, opened };
  return { source: before.source, pool, opened: [before, ...opened] };
}

function identityOf({ id, name, region, kind = 'library' }: VerifierOptions, random: Random) {
  return { id: id ?? hexOf(random.bytes(16)), name: name ?? hostname(), region, kind };
}

function openFallback(options: VerifierOptions, timers: Timers): AuthorityFallback | undefined {
  const { fallback, relays } = options;
  if (fallback === undefined) return undefined;
  const url =
    fallback.url ?? (isUrls(relays) ? (typeof relays === 'string' ? relays : relays[0]) : undefined);
  const credential = fallback.credential ?? options.credential;
  if (url === undefined || credential === undefined)
    throw new TypeError('`fallback` needs a `url` and a `credential` where `relays` is not a URL');
  return new AuthorityFallback(fallback, { url, credential, timers });
}

function openKeeper(
  { snapshotPath: path, credential, keyspaces, log, observer }: VerifierOptions,
  { timers, random }: { readonly timers: Timers; readonly random: Random },
): SnapshotKeeper | undefined {
  if (path === undefined) return undefined;
  if (credential === undefined)
    throw new TypeError('`snapshotPath` needs a `credential`: the file is of one credential and no other');
  return new SnapshotKeeper(
    { path, identity: snapshotIdentity(credential, keyspaces) },
    { timers, random, log },
    observer,
  );
}

/**
 * What a credential may read is what its snapshot holds: taken for another one's, it would make keys of another
 * workspace valid. So the file names the credential, by a digest that opens nothing.
 */
function snapshotIdentity(credential: Secret | string, keyspaces: readonly string[] | undefined): string {
  const text = typeof credential === 'string' ? credential : credential.reveal();
  const whose = createHash('sha256').update('keyswarm snapshot\n').update(text).digest('hex');
  return `${whose} ${keyspaces === undefined ? '*' : [...keyspaces].sort().join()}`;
}

function isUrls(relays: VerifierOptions['relays']): relays is string | readonly string[] {
  return typeof relays === 'string' || Array.isArray(relays);
}

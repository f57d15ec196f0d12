import { hostname } from 'node:os';
import type { Secret } from '@keyswarm/core';
import {
  type AppliedObserver,
  AuthorityClock,
  createResidentVerifier,
  type FeedSource,
  type ResidentVerifier,
  startFollower,
  systemVerifierClock,
} from '@keyswarm/verifier';
import { checkPort } from '../boot/check-port.ts';
import { type Closing, closeInOrder } from '../boot/close-in-order.ts';
import { listOf } from '../config/list-of.ts';
import { forwardAuthWays } from '../gateways/forward-auth-ways.ts';
import { Admission } from '../http/admission.ts';
import { drainWire, urlOfWire } from '../http/drain-wire.ts';
import type { Log } from '../logging/log.ts';
import { ServerMetrics } from '../metrics/server-metrics.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { FeedWatch } from './feed-watch.ts';
import type { NodeConfig } from './node-config.ts';
import { buildNodeServer } from './node-http.ts';
import { watchNode } from './node-metrics.ts';
import { nodeReadinessOf, noManagers } from './node-readiness.ts';
import { ResidentKeyspaces, residentDirectory } from './resident-keyspaces.ts';

/*
 * A verify-only node, put together: a replica in memory, what follows the feed for it, and the wire. No database, no
 * writes, no state that a restart would miss.
 *
 * The port is opened first, before anything is loaded: `/healthz` says that it lives, `/readyz` that it is not ready,
 * and a verification gets `503 stale`. A balancer needs somebody to ask; and a node that exited or kept its port shut
 * while its relay is away would be restarted over and over, which brings the relay a snapshot more each time just when
 * it is in trouble. For the same reason a refused credential ends nothing: the state says so, and it is asked again
 * slowly, since whoever mends the credential mends it at the authority.
 *
 *   starting → following ⇄ unreachable | refused | blocked        (feed-watch.ts)
 */

export interface NodeOptions {
  readonly log: Log;
  readonly credential: Secret;
  /** The relays of the config as one source. */
  readonly openFeed: OpenFeed;
}

export interface NodeIdentity {
  /** Drawn at each start: one running verifier, one id. */
  readonly id: string;
  readonly name: string;
  readonly region?: string | undefined;
  readonly kind: 'node' | 'relay';
}

export interface FeedTerms {
  readonly config: NodeConfig;
  readonly credential: Secret;
  readonly identity: NodeIdentity;
  readonly clock: AuthorityClock;
  readonly log: Log;
}

export type OpenFeed = (terms: FeedTerms) => { readonly source: FeedSource; close(): void };

export interface RunningNode {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /** Resolves when the first snapshot is loaded and the lease was first renewed. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

export async function startVerifyNode(config: NodeConfig, options: NodeOptions): Promise<RunningNode> {
  await checkPort(config);
  const closing = closeInOrder(options.log);
  try {
    const core = startCore(config, options, closing);
    return await openWire(config, { ...core, log: options.log, closing });
  } catch (error) {
    await closing.run();
    throw error;
  }
}

/** Everything but the wire. */
function startCore(config: NodeConfig, { log, credential, openFeed }: NodeOptions, closing: Closing) {
  const metrics = new ServerMetrics({ writes: false });
  closing.add('metrics', () => metrics.close());
  const clock = new AuthorityClock(systemVerifierClock());
  const keyspaces = new ResidentKeyspaces();
  const verifier: ResidentVerifier = createResidentVerifier({
    clock,
    observer: observerOf(keyspaces, () => verifier),
  });
  const link = new FeedWatch(log, verifier);
  const identity = identityOf(config);
  const feed = openFeed({ config, credential, identity, clock, log });
  closing.add('feed source', () => feed.close());
  const follower = startFollower({
    source: link.over(feed.source),
    verifier,
    clock,
    timers: systemTimers,
    random: systemRandom,
    authorityClock: clock,
    onState: (state) => link.note(state),
  });
  closing.add('feed', () => follower.stop());
  watchNode(metrics, { verifier, follower, clock, link });
  return { metrics, verifier, keyspaces, link, follower };
}

interface Wiring extends ReturnType<typeof startCore> {
  readonly log: Log;
  readonly closing: Closing;
}

async function openWire(config: NodeConfig, wiring: Wiring): Promise<RunningNode> {
  const { metrics, verifier, keyspaces, link, follower, log, closing } = wiring;
  const admission = new Admission({ ...config, mutationsInFlightMax: 1 }, metrics);
  const catchUp = () => follower.catchUp();
  const holdsManagers = () => keyspaces.holdsBuiltin;
  const asked = listOf(config.forwardAuth);
  let isLeaving = false;
  metrics.watch({
    leaseAgeMs: () => verifier.stats().leaseAgeMs,
    versions: () => verifier.stats().versions,
    tableBytes: () => verifier.stats().tableBytes,
    inFlight: (budget) => admission.inFlight(budget),
    feedLagRows: () => link.lagRows(),
  });
  const keepers = { metrics, admission, clock: systemClock };
  const app = buildNodeServer({
    ...keepers,
    config,
    log,
    random: systemRandom,
    ports: {
      verifier,
      catchUp,
      keyspaces: residentDirectory(keyspaces, catchUp),
      get shards() {
        return verifier.applied().seqs.length;
      },
    },
    authenticator: { verifier, catchUp, knowsManagers: holdsManagers },
    readiness: nodeReadinessOf({
      verifier,
      link,
      holdsManagers,
      isGateway: asked !== undefined,
      isDraining: () => isLeaving,
    }),
    ways: forwardAuthWays(asked, { ...keepers, log, verifier, catchUp }),
  });
  closing.add('wire', () => drainWire(app, admission, config.drainTimeoutMs));
  await app.listen({ host: config.host, port: config.port });
  const url = urlOfWire(config.host, app.server.address());
  log.info(
    { url, relays: listOf(config.relays), keyspaces: listOf(config.keyspaces), forwardAuth: asked },
    'listening',
  );
  void follower.ready.then(() => noteStart(log, wiring, asked !== undefined));
  return {
    url,
    ready: follower.ready,
    async close() {
      isLeaving = true;
      await systemTimers.sleep(config.drainDelayMs);
      await closing.run();
    },
  };
}

function noteStart(
  log: Log,
  { verifier, keyspaces }: Pick<Wiring, 'verifier' | 'keyspaces'>,
  isGateway: boolean,
): void {
  const { versions, owners } = verifier.stats();
  log.info({ versions, owners, keyspaces: keyspaces.size }, 'ready');
  if (!keyspaces.holdsBuiltin) log.warn({}, noManagers(isGateway));
}

function observerOf(keyspaces: ResidentKeyspaces, verifier: () => ResidentVerifier): AppliedObserver {
  return {
    applied: (stretch) => keyspaces.applied(stretch),
    reloaded: () => keyspaces.reloaded(verifier()),
  };
}

function identityOf({ name, region, serveFeed }: NodeConfig): NodeIdentity {
  return {
    id: Buffer.from(systemRandom.bytes(12)).toString('hex'),
    name: name ?? hostname().slice(0, 64),
    ...(region === null ? {} : { region }),
    kind: serveFeed ? 'relay' : 'node',
  };
}

import type { Secret } from '@keyswarm/core';
import {
  type AppliedObserver,
  createVerifier,
  type FeedSource,
  type ResidentVerifier,
  type Verifier,
} from '@keyswarm/verifier';
import { acceptWaiting } from '../boot/accept-waiting.ts';
import { checkPort } from '../boot/check-port.ts';
import { type Closing, closeInOrder } from '../boot/close-in-order.ts';
import { observerOf } from '../boot/observer-of.ts';
import { openTelemetry } from '../boot/open-telemetry.ts';
import { listOf } from '../config/list-of.ts';
import { forwardAuthWays } from '../gateways/forward-auth-ways.ts';
import { Admission } from '../http/admission.ts';
import { Doors } from '../http/doors.ts';
import { drainWire } from '../http/drain-wire.ts';
import type { Log } from '../logging/log.ts';
import { PropagationMetrics } from '../metrics/propagation-metrics.ts';
import { ServerMetrics } from '../metrics/server-metrics.ts';
import { systemClock } from '../runtime/clock.ts';
import { holdPort } from '../runtime/hold-port.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { askAuthorityOf } from './fallback.ts';
import type { NodeConfig } from './node-config.ts';
import { buildNodeServer } from './node-http.ts';
import { watchNode } from './node-metrics.ts';
import { nodeReadinessOf, noManagers } from './node-readiness.ts';
import { NodeRoll, openNodeRelay } from './node-relay.ts';
import { openBroker } from './open-broker.ts';
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
 *   loading → fresh ⇄ aging → stale,  and refused        (library/verifier-events.ts of the verifier)
 */

export interface NodeOptions {
  readonly log: Log;
  readonly credential: Secret;
  /** In place of the relays of the config, for tests. */
  readonly source?: FeedSource | undefined;
}

export interface RunningNode {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /** Resolves when the first snapshot is loaded and the lease was first renewed. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

export async function startVerifyNode(config: NodeConfig, options: NodeOptions): Promise<RunningNode> {
  const closing = closeInOrder(options.log);
  try {
    const letGo = await holdPort(config.port, { timers: systemTimers });
    closing.add('port', letGo);
    await checkPort(config);
    const core = startCore(config, options, closing);
    const running = await openWire(config, { ...core, log: options.log, closing });
    letGo();
    return running;
  } catch (error) {
    await closing.run();
    throw error;
  }
}

/** Everything but the wire. */
function startCore(config: NodeConfig, { log, credential, source }: NodeOptions, closing: Closing) {
  const metrics = new ServerMetrics({ writes: false });
  closing.add('metrics', () => metrics.close());
  const keyspaces = new ResidentKeyspaces();
  const roll = new NodeRoll(() => verifier.resident.leaseBounds().maxMs);
  const observers: AppliedObserver[] = [];
  const verifier: Verifier = createVerifier({
    relays: source ?? listOf(config.relays) ?? [],
    credential,
    name: config.name ?? undefined,
    region: config.region ?? undefined,
    kind: config.serveFeed ? 'relay' : 'node',
    keyspaces: listOf(config.keyspaces),
    snapshotPath: config.snapshotPath ?? undefined,
    fallback: fallbackOf(config),
    log,
    observer: observerOf(observers),
    beside: openBroker(config, log),
    ...(config.serveFeed ? { downstream: () => roll.downstream() } : {}),
  });
  closing.add('verifier', () => verifier.close());
  // The table is empty until the next turn of the event loop at the least: none of them misses anything.
  observers.push(residentObserver(keyspaces, verifier.resident));
  observers.push(new PropagationMetrics(metrics.registry, verifier.clock));
  const directory = residentDirectory(keyspaces, () => verifier.follower.catchUp());
  const relayed = config.serveFeed
    ? openNodeRelay({
        verifier,
        roll,
        keyspaces: directory,
        keyspacesSeen: { find: async (workspaceId, idOrName) => keyspaces.find(workspaceId, idOrName) },
        credential,
        name: config.name,
        region: config.region,
      })
    : undefined;
  if (relayed !== undefined) observers.push(relayed.relay);
  watchNode(metrics, verifier);
  return { metrics, verifier, keyspaces, directory, feed: relayed?.feed };
}

interface Wiring extends ReturnType<typeof startCore> {
  readonly log: Log;
  readonly closing: Closing;
}

async function openWire(config: NodeConfig, wiring: Wiring): Promise<RunningNode> {
  const { metrics, verifier, keyspaces, directory, feed, log, closing } = wiring;
  const { resident } = verifier;
  await openTelemetry(config, { metrics, log, closing });
  const admission = new Admission({ ...config, mutationsInFlightMax: 1 }, metrics);
  const catchUp = () => verifier.follower.catchUp();
  const holdsManagers = () => keyspaces.holdsBuiltin;
  const asked = listOf(config.forwardAuth);
  const askAuthority = askAuthorityOf(
    verifier,
    listOf(config.fallbackKeyspaces),
    () => keyspaces.workspaceId,
  );
  let isLeaving = false;
  metrics.watch({
    leaseAgeMs: () => resident.stats().leaseAgeMs,
    versions: () => resident.stats().versions,
    tableBytes: () => resident.stats().tableBytes,
    inFlight: (budget) => admission.inFlight(budget),
    feedLagRows: () => verifier.stats().lagRows,
  });
  const keepers = { metrics, admission, clock: systemClock };
  const app = buildNodeServer({
    ...keepers,
    config,
    log,
    random: systemRandom,
    ports: {
      verifier: resident,
      catchUp,
      keyspaces: directory,
      get shards() {
        return resident.applied().seqs.length;
      },
    },
    authenticator: { verifier: resident, catchUp, knowsManagers: holdsManagers },
    readiness: nodeReadinessOf({
      verifier,
      holdsManagers,
      isGateway: asked !== undefined,
      isDraining: () => isLeaving,
    }),
    feed,
    timers: systemTimers,
    askAuthority,
    ways: forwardAuthWays(asked, { ...keepers, log, verifier: resident, catchUp, askAuthority }),
  });
  const doors = new Doors(app.server, config);
  closing.add('wire', () => drainWire(app, { admission, doors }, config.drainTimeoutMs));
  if (feed !== undefined) closing.add('streams', () => feed.close());
  closing.add('last connections', () => acceptWaiting(app.server));
  const url = await doors.open(app, { isShared: false });
  log.info(
    { url, relays: listOf(config.relays), keyspaces: listOf(config.keyspaces), forwardAuth: asked },
    'listening',
  );
  void verifier.ready.then(() => noteStart(log, wiring, asked !== undefined));
  return {
    url,
    ready: verifier.ready,
    async close() {
      isLeaving = true;
      await systemTimers.sleep(config.drainDelayMs);
      await closing.run();
    },
  };
}

function noteStart(
  log: Log,
  { verifier, keyspaces, feed }: Pick<Wiring, 'verifier' | 'keyspaces' | 'feed'>,
  isGateway: boolean,
): void {
  const { versions, owners } = verifier.stats();
  log.info({ versions, owners, keyspaces: keyspaces.size }, 'ready');
  if (!keyspaces.holdsBuiltin) log.warn({}, noManagers(isGateway));
  const warning = feed?.warning;
  if (warning !== undefined) log.warn({}, warning);
}

function fallbackOf({ fallbackKeyspaces, relays }: NodeConfig) {
  const keyspaces = listOf(fallbackKeyspaces);
  const url = listOf(relays)?.[0];
  return keyspaces === undefined || url === undefined ? undefined : { keyspaces, url };
}

function residentObserver(keyspaces: ResidentKeyspaces, resident: ResidentVerifier): AppliedObserver {
  return {
    applied: (stretch) => keyspaces.applied(stretch),
    reloaded: () => keyspaces.reloaded(resident),
  };
}

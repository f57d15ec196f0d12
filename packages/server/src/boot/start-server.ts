import { type FeedRow, Secret } from '@keyswarm/core';
import {
  AuthorityClock,
  createResidentVerifier,
  startFollower,
  systemVerifierClock,
} from '@keyswarm/verifier';
import { LeaseReads } from '../access/lease-reads.ts';
import { CampaignDriver } from '../campaigns/campaign-driver.ts';
import { runCampaigns } from '../campaigns/run-campaigns.ts';
import { ConfigError } from '../config/config-error.ts';
import type { ServerConfig } from '../config/config-schema.ts';
import { listOf } from '../config/list-of.ts';
import { createFeedSource } from '../feed/feed-source.ts';
import { startUpkeep } from '../feed/upkeep.ts';
import { forwardAuthIsOff, forwardAuthWays } from '../gateways/forward-auth-ways.ts';
import { Admission } from '../http/admission.ts';
import { Doors } from '../http/doors.ts';
import { drainWire } from '../http/drain-wire.ts';
import type { DemoDoor } from '../http/handlers/demo-handler.ts';
import { buildHttpServer } from '../http/http-server.ts';
import { readinessOf } from '../http/readiness.ts';
import { KeyspaceDirectory } from '../keyspaces/keyspace-directory.ts';
import { createLanes } from '../lanes/lanes.ts';
import type { Log } from '../logging/log.ts';
import { jobMetrics } from '../metrics/job-metrics.ts';
import { PropagationMetrics } from '../metrics/propagation-metrics.ts';
import { watchRelay } from '../metrics/relay-metrics.ts';
import { ServerMetrics } from '../metrics/server-metrics.ts';
import { StatementCounts } from '../metrics/statement-counts.ts';
import { systemClock } from '../runtime/clock.ts';
import { holdPort } from '../runtime/hold-port.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { loadMasterKey, loadPreviousMasterKey } from '../signing/load-master-key.ts';
import { requestMacKey, requestMacKeys } from '../signing/request-mac-keys.ts';
import type { MasterKeys } from '../signing/seal-key.ts';
import { createReader } from '../storage/reader.ts';
import { createRotationsReader } from '../storage/statements/read-rotations.ts';
import { createDocumentRemoval } from '../storage/statements/remove-documents.ts';
import type { Store } from '../storage/store.ts';
import { createStoreClock } from '../storage/store-clock.ts';
import type { StatusLists } from '../tokens/status-lists.ts';
import type { WorkerSeat } from '../workers/worker-seat.ts';
import { bootstrap, isBootstrapKey } from '../workspaces/bootstrap.ts';
import { acceptWaiting } from './accept-waiting.ts';
import { checkPort } from './check-port.ts';
import { closeInOrder } from './close-in-order.ts';
import { noteFollowerState } from './note-follower-state.ts';
import { observerOf } from './observer-of.ts';
import { openDeliveries } from './open-deliveries.ts';
import { openChangeWatch, openLive } from './open-live.ts';
import { openNats } from './open-nats.ts';
import { openRelay, relayProbeOf } from './open-relay.ts';
import { openStore, prepareStore } from './open-store.ts';
import { openTelemetry } from './open-telemetry.ts';
import { heardBy, openTokens } from './open-tokens.ts';
import { openUses } from './open-uses.ts';
import { openWorkflows } from './open-workflows.ts';
import { readConsole } from './read-console.ts';
import { readVersion } from './read-version.ts';
import { registerJobs } from './register-jobs.ts';
import { watchLag } from './watch-lag.ts';

/*
 * The house, put together: store, schema, resident table, feed, lanes, first key, wire. Each part is given what it
 * needs and knows nobody else. In this order, because each stands on the one before: the port is opened last, when
 * the table is loaded and its lease is held, so that a server which can be reached can answer.
 *
 * If a step fails, what was opened before it is closed again, in reverse, and the error goes to whoever started.
 */

export interface StartOptions {
  readonly log: Log;
  /** Shows the first management key of a new store to whoever starts it. Called at most once. */
  readonly showFirstKey: (secret: Secret) => void;
  /** In place of the store that the config names; closed with the server. */
  readonly store?: Store;
  /** Aborted when the start is to be given up: then no key is shown and no port is opened. */
  readonly signal?: AbortSignal;
  /** Its place among servers that share the port. */
  readonly seat?: WorkerSeat;
  /** Of whoever started it to show what it does. */
  readonly demo?: DemoDoor | undefined;
}

export interface RunningServer {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /** Stops being ready, lets nobody else in, finishes what is under way, and closes everything. */
  close(): Promise<void>;
}

export async function startServer(config: ServerConfig, options: StartOptions): Promise<RunningServer> {
  const { log } = options;
  const given = bootstrapKeyOf(config);
  const closing = closeInOrder(log);
  try {
    const { seat, signal } = options;
    // Workers come one after another, and their supervisor holds the port for all of them.
    const letGo =
      seat === undefined ? await holdPort(config.port, { timers: systemTimers, signal }) : () => {};
    closing.add('port', letGo);
    // Before a master key is made beside the data. Where others of the house listen already, the port is taken by them.
    if (seat?.isAlone ?? true) await checkPort(config);
    const masterKeys = {
      current: loadMasterKey(config, systemRandom),
      previous: loadPreviousMasterKey(config),
    };
    const statements = new StatementCounts();
    const store = statements.over(options.store ?? (await openStore(config, log)));
    closing.add('store', () => store.close());
    const core = await startCore(config, { store, log, closing, masterKeys, seat });
    statements.register(core.metrics.registry);
    signal?.throwIfAborted();
    const firstKey = await bootstrap(core.ports, given);
    if (firstKey !== undefined) options.showFirstKey(firstKey);
    signal?.throwIfAborted();
    const out = openDeliveries(config, core, { store, log, closing, masterKey: masterKeys });
    startCampaigns(core, { log, closing });
    const house = { ...core, ...out, masterKeys, log, closing, seat, demo: options.demo };
    const running = await openWire(config, house);
    letGo();
    return running;
  } catch (error) {
    await closing.run();
    throw error;
  }
}

interface Foundation {
  readonly store: Store;
  readonly log: Log;
  readonly closing: ReturnType<typeof closeInOrder>;
  readonly seat: WorkerSeat | undefined;
  readonly masterKeys: MasterKeys;
}

interface Heard {
  lists: StatusLists | undefined;
  afterCommit: ((rows: readonly FeedRow[]) => void) | undefined;
}

/** The verifier of this process, what feeds it, and the lanes that write. */
async function openPlane(config: ServerConfig, { store, log, closing, seat, masterKeys }: Foundation) {
  const shards = await prepareStore(store, { config, clock: systemClock, log });
  const metrics = new ServerMetrics();
  closing.add('metrics', () => metrics.close());
  const isAlone = config.profile === 'embedded';
  // The authority's clock is the store's: this machine's own where the store is part of the process.
  const authorityClock = isAlone ? undefined : new AuthorityClock(systemVerifierClock());
  const clock = authorityClock ?? systemVerifierClock();
  const house = openRelay({ store, log, isAlone });
  // What hears of rows, and is there only once all the rest is.
  const heard: Heard = { lists: undefined, afterCommit: undefined };
  const propagation = new PropagationMetrics(metrics.registry, clock);
  const observer = heardBy(observerOf([house.observer, propagation]), () => heard.lists);
  const macKeysOf = requestMacKeys(masterKeys);
  const verifier = createResidentVerifier({ clock, shards, observer, macKeysOf });
  const lag = watchLag(createFeedSource(store, { shards }), verifier);
  const relay = house.attach(verifier, clock, createFeedSource(store, { shards }));
  closing.add('registry', () => house.registry.stop());
  const follower = startFollower({
    source: house.registered(lag.source),
    verifier,
    clock,
    authorityClock,
    timers: systemTimers,
    random: systemRandom,
    onState: (state) => noteFollowerState(log, state),
  });
  closing.add('feed', () => follower.stop());
  seat?.onNews(() => follower.wake());
  const nats = openNats(config, { log, closing });
  const lanes = createLanes({
    store,
    shards,
    clock: systemClock,
    timers: systemTimers,
    onCommitted: (rows) => {
      follower.applyCommitted(rows);
      seat?.committed();
      nats?.committed(rows);
      heard.afterCommit?.(rows);
    },
    observer: metrics.lanes,
  });
  closing.add('lanes', () => lanes.drain());
  await follower.ready;
  return { shards, metrics, isAlone, clock, house, verifier, lag, relay, follower, nats, lanes, heard };
}

/** Everything but the wire. */
async function startCore(config: ServerConfig, foundation: Foundation) {
  const { store, log, closing, masterKeys } = foundation;
  const plane = await openPlane(config, foundation);
  const { shards, metrics, isAlone, clock, house, verifier, lag, relay, follower, nats, lanes } = plane;
  const uses = openUses({ store, shards, verifier, metrics, log, closing });
  const storeClock = createStoreClock(store);
  const upkeep = startUpkeep({
    store,
    shards,
    storeClock,
    timers: systemTimers,
    onProblem: ({ step, error }) => log.warn({ step, err: error }, 'upkeep left something to its next run'),
  });
  closing.add('upkeep', () => upkeep.stop());
  // Before the first write, so that today has its partition and no row falls into the net below it.
  await upkeep.run();
  const workflows = openWorkflows(config, {
    store,
    log,
    closing,
    observer: jobMetrics(metrics.registry),
  });
  const reader = createReader(store, { shards });
  const keyspaces = new KeyspaceDirectory(reader);
  const leases = new LeaseReads(reader);
  const { feed, evidence, awaitEffective } = house.serve({ relay, keyspaces, leases, reader, uses, shards });
  const catchUp = isAlone ? undefined : () => follower.catchUp();
  const tokens = await openTokens({
    config,
    masterKeys,
    log,
    lanes,
    reader,
    verifier,
    clock: systemClock,
    random: systemRandom,
    shards,
    catchUp,
    earliestMs: () => clock.earliestMs(),
  });
  const ports = {
    lanes,
    reader,
    verifier,
    clock: systemClock,
    random: systemRandom,
    keyspaces,
    leases,
    awaitEffective,
    evidence,
    rotationTimes: metrics.rotations,
    rotations: createRotationsReader(store),
    storeClock,
    // An embedded store has one process, which knows its own writes before it answers them.
    catchUp,
    tokens: tokens.tokens,
    signing: tokens.signing,
    jobs: workflows,
    macKeyOf: requestMacKey(masterKeys),
    shards,
  };
  plane.heard.lists = tokens.statusLists;
  const removal = createDocumentRemoval(store, { shards });
  registerJobs(workflows, { ...ports, removal }, config);
  nats?.serve({ feed, authenticator: { verifier, catchUp: ports.catchUp } });
  const onCommitted = (listener: Heard['afterCommit']) => {
    plane.heard.afterCommit = listener;
  };
  const changes = openChangeWatch(house, relay);
  const { statusLists } = tokens;
  return { ports, metrics, lanes, lag, feed, workflows, onCommitted, statusLists, changes };
}

type Core = Awaited<ReturnType<typeof startCore>>;

/** Whichever server is free works on what runs; stopped before the lanes are drained. */
function startCampaigns(
  { ports, metrics }: Core,
  { log, closing }: Pick<Foundation, 'log' | 'closing'>,
): void {
  const driver = new CampaignDriver({
    ports,
    driverId: Buffer.from(systemRandom.bytes(8)).toString('hex'),
    reading: () => metrics.verifyReading(),
    onProblem: ({ campaignId, error }) =>
      log.warn({ campaignId, err: error }, 'a step of a campaign was left to its next turn'),
  });
  const campaigns = runCampaigns({
    driver,
    timers: systemTimers,
    onProblem: (error) => log.warn({ err: error }, 'campaigns could not be looked for'),
  });
  closing.add('campaigns', () => campaigns.stop());
}

async function openWire(
  config: ServerConfig,
  house: Core & Omit<Foundation, 'store'> & ReturnType<typeof openDeliveries> & Pick<StartOptions, 'demo'>,
): Promise<RunningServer> {
  const { ports, metrics, lanes, lag, feed, log, closing, masterKeys, seat, demo } = house;
  const { verifier } = ports;
  await openTelemetry(config, { metrics, log, closing });
  const admission = new Admission(config, metrics, () => lanes.waitMs());
  let isLeaving = false;
  metrics.watch({
    leaseAgeMs: () => verifier.stats().leaseAgeMs,
    versions: () => verifier.stats().versions,
    tableBytes: () => verifier.stats().tableBytes,
    laneDepth: () => lanes.depths().reduce((sum, depth) => sum + depth, 0),
    inFlight: (budget) => admission.inFlight(budget),
    feedLagRows: () => lag.rows(),
  });
  watchRelay(metrics.registry, relayProbeOf(feed, verifier));
  const app = buildHttpServer({
    ports,
    metrics,
    admission,
    masterKey: masterKeys,
    oauth: { ports, statusLists: house.statusLists },
    config,
    log,
    clock: systemClock,
    random: systemRandom,
    version: readVersion(),
    missingPath: forwardAuthIsOff,
    ways: forwardAuthWays(listOf(config.forwardAuth), {
      metrics,
      admission,
      clock: systemClock,
      log,
      verifier,
      catchUp: ports.catchUp,
    }),
    ...(seat === undefined ? {} : { metricsText: seat.speakFor(metrics) }),
    authenticator: {
      verifier,
      catchUp: ports.catchUp,
      requiresSignature: config.requireSignedManagement,
      publicUrl: config.publicUrl,
    },
    feed,
    deliveries: house.deliveries,
    timers: systemTimers,
    live: openLive({
      ...house,
      verifiersFrom: { ...feed.options, leases: ports.leases, clock: systemClock },
      reader: ports.reader,
      laneDepths: () => lanes.depths(),
    }),
    console: config.console ? readConsole() : undefined,
    demo,
    readiness: readinessOf({
      clock: systemClock,
      timers: systemTimers,
      verifier,
      askStore: () => lag.source.heads(),
      isDraining: () => isLeaving || seat?.isOpen() === false,
    }),
  });
  const doors = new Doors(app.server, config);
  closing.add('wire', () => drainWire(app, { admission, doors }, config.drainTimeoutMs));
  closing.add('streams', () => feed.close());
  // Runs before the wire is drained.
  closing.add('last connections', () => acceptWaiting(app.server));
  const url = await doors.open(app, { isShared: seat !== undefined });
  const said = seat === undefined ? 'listening' : 'a worker listens';
  log.info({ url, profile: config.profile, shards: ports.shards }, said);
  // Last, and not waited for: nothing that is answered hangs on it.
  if (config.workflows) {
    void house.workflows.start();
    house.courier.start();
  }
  return {
    url,
    async close() {
      isLeaving = true;
      await systemTimers.sleep(config.drainDelayMs);
      await closing.run();
    },
  };
}

function bootstrapKeyOf({ bootstrapKey }: ServerConfig): Secret | undefined {
  if (bootstrapKey === null) return undefined;
  if (isBootstrapKey(bootstrapKey)) return new Secret(bootstrapKey);
  throw new ConfigError('KEYSWARM_BOOTSTRAP_KEY', 'a key as `keyswarm mint-bootstrap-key` makes it');
}

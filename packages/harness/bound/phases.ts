import { writeFileSync } from 'node:fs';
import type { IssuedKey } from '../acceptance/api.ts';
import { LatencyHistogram } from '../bench/levels/latency-histogram.ts';
import { type Cluster, defaultKeyspace, strictKeyspace } from './cluster.ts';
import { type LoadCounts, OpenLoad } from './open-load.ts';
import { type RevocationResult, revokeAll, spread } from './revoke-all.ts';

/*
 * The faults, one after another, each with revocations under way and an open load on every node. A phase throws when
 * a promise is broken, and otherwise returns a line of evidence.
 */

export interface Phases {
  readonly cluster: Cluster;
  /** Keys that stay valid, of the strict and of the default keyspace. */
  readonly strictSteady: readonly string[];
  readonly steady: readonly string[];
  /** Takes so many keys of a keyspace that nobody has revoked yet. */
  readonly take: (keyspace: string, count: number) => readonly IssuedKey[];
  readonly perSecond: number;
  readonly random: () => number;
  readonly report: (phase: string, found: string) => void;
}

/** ρ of the promise: T = L(1 + ρ). */
const driftRatio = 0.01;
const boundMsOf = (leaseSeconds: number): number => leaseSeconds * 1000 * (1 + driftRatio);
const strictBoundMs = boundMsOf(strictKeyspace.leaseSeconds);

export async function healthy(phases: Phases, revocations: number): Promise<void> {
  const loads = startLoads(phases, defaultKeyspace.name, phases.steady);
  const result = await revokeAll({
    api: phases.cluster.api,
    targets: phases.cluster.nodes,
    keys: phases.take(defaultKeyspace.name, revocations),
    keyspace: defaultKeyspace.name,
    perSecond: phases.perSecond,
    pauseMs: 2,
    boundMs: boundMsOf(defaultKeyspace.leaseSeconds),
    watchMs: 5_000,
    refusalsEnough: 5,
  });
  const counts = await stopLoads(loads);
  expectKept(result, counts);
  phases.report('healthy', `${tell(result)}; load ${tellLoad(counts)}`);
}

/** The second ack: once it is here, no verifier accepts. */
export async function waitEffective(phases: Phases, revocations: number): Promise<void> {
  const result = await revokeAll({
    api: phases.cluster.api,
    targets: phases.cluster.nodes,
    keys: phases.take(defaultKeyspace.name, revocations),
    keyspace: defaultKeyspace.name,
    perSecond: 10,
    pauseMs: 2,
    boundMs: 0,
    watchMs: 1_000,
    refusalsEnough: 20,
    waits: true,
  });
  expectKept(result, []);
  phases.report(
    '?wait=effective',
    `${result.acked} acked, 0 accepted after; the ack took ${spread(result.revokeMs)}`,
  );
}

export interface Fault {
  readonly name: string;
  /** The node that it strikes, from 0; the others have to serve on. */
  readonly node: number;
  /** How long before the fault is undone, ms; `begin` may undo it itself. */
  readonly begin: () => Promise<void> | void;
  readonly end: () => Promise<void> | void;
  readonly lastsMs: number;
}

/** Revocations from a second before a fault until past its end; every one is watched past its T. */
export async function underFault(phases: Phases, fault: Fault): Promise<void> {
  const loads = startLoads(phases, strictKeyspace.name, phases.strictSteady);
  const perSecond = 4;
  const lastsMs = fault.lastsMs + 3_000;
  const running = revokeAll({
    api: phases.cluster.api,
    targets: phases.cluster.nodes,
    keys: phases.take(strictKeyspace.name, Math.ceil((lastsMs / 1000) * perSecond)),
    keyspace: strictKeyspace.name,
    perSecond,
    pauseMs: 10,
    boundMs: strictBoundMs,
    watchMs: strictBoundMs + 1_000,
    refusalsEnough: Number.POSITIVE_INFINITY,
  });
  await sleep(1_000);
  await fault.begin();
  await sleep(fault.lastsMs);
  await fault.end();
  const result = await running;
  const counts = await stopLoads(loads);
  expectKept(result, counts);
  const others = counts.filter((_, at) => at !== fault.node);
  const struck = counts[fault.node];
  const shed = others.reduce((sum, { unavailable, lost }) => sum + unavailable + lost, 0);
  const answered = others.reduce((sum, { valid }) => sum + valid, 0);
  if (shed > answered / 100)
    throw new Error(`${fault.name}: ${shed} of ${answered} were not served elsewhere`);
  phases.report(
    fault.name,
    `${tell(result)}; others ${answered} valid, ${shed} not served; ` +
      `struck ${struck?.valid ?? 0} valid, ${(struck?.unavailable ?? 0) + (struck?.lost ?? 0)} not served`,
  );
}

export function faultsOf(cluster: Cluster, wallOf: (node: number) => string | undefined): readonly Fault[] {
  const leaseMs = strictKeyspace.leaseSeconds * 1000;
  const freeze = (node: number, leases: number): Fault => ({
    name: `SIGSTOP for ${leases} L`,
    node,
    lastsMs: 2_000,
    begin: () => cluster.nodes[node]?.freeze(leases * leaseMs),
    end: () => {},
  });
  const stepWall = (node: number, seconds: number): Fault => ({
    name: `wall clock ${seconds > 0 ? '+' : '−'}1 h`,
    node,
    lastsMs: 4_000,
    begin: () => setWall(wallOf(node), seconds),
    end: () => setWall(wallOf(node), 0),
  });
  return [
    {
      name: 'relay link blackholed',
      node: 0,
      lastsMs: 8_000,
      begin: () => cluster.links[0]?.set({ hold: 'both' }),
      // What was held is delivered late: old answers, which have to be worth nothing.
      end: () => cluster.links[0]?.heal(),
    },
    {
      name: 'relay link reset',
      node: 0,
      lastsMs: 4_000,
      begin: () => {
        cluster.links[0]?.set({ refuse: true });
        cluster.links[0]?.reset();
      },
      end: () => cluster.links[0]?.heal(),
    },
    {
      name: 'answers held, asks pass',
      node: 0,
      lastsMs: 5_000,
      begin: () => cluster.links[0]?.set({ hold: 'to_client' }),
      end: () => cluster.links[0]?.heal(),
    },
    freeze(1, 0.5),
    freeze(1, 2),
    freeze(1, 10),
    ...(wallOf(2) === undefined ? [] : [stepWall(2, 3600), stepWall(2, -3600)]),
  ];
}

/** By the file that libfaketime reads. */
function setWall(file: string | undefined, seconds: number): void {
  if (file !== undefined) writeFileSync(file, `${seconds >= 0 ? '+' : ''}${seconds}s`);
}

/** The database goes away and comes back; the default lease is longer than that. */
export async function databaseGone(phases: Phases, goneMs: number): Promise<void> {
  const { cluster } = phases;
  const leaseMs = defaultKeyspace.leaseSeconds * 1000;
  const loads = startLoads(phases, defaultKeyspace.name, phases.steady);
  await sleep(2_000);
  await cluster.postgres.halt('immediate');
  const goneAtMs = performance.now();
  for (const load of loads) load.take();
  await sleep(Math.min(goneMs, leaseMs * 0.9));
  const within = loads.map((load) => load.take());
  const isLong = goneMs > leaseMs;
  let past: readonly LoadCounts[] = [];
  if (isLong) {
    await sleep(boundMsOf(defaultKeyspace.leaseSeconds) + 1_000 - (performance.now() - goneAtMs));
    for (const load of loads) load.take();
    await sleep(Math.max(2_000, goneMs - (performance.now() - goneAtMs)));
    past = loads.map((load) => load.take());
  }
  await cluster.postgres.resume();
  const backAtMs = performance.now();
  const freshMs = await timeToFresh(phases);
  for (const load of loads) load.take();
  await sleep(2_000);
  const after = await stopLoads(loads);
  const failed = (counts: readonly LoadCounts[]) =>
    counts.reduce((sum, one) => sum + one.unavailable + one.lost + refusedOf(one), 0);
  const valid = (counts: readonly LoadCounts[]) => counts.reduce((sum, one) => sum + one.valid, 0);
  if (failed(within) > 0) throw new Error(`${failed(within)} verifications failed while the lease lasted`);
  if (isLong && (valid(past) > 0 || past.some((one) => refusedOf(one) > 0)))
    throw new Error(`${valid(past)} were accepted past L without a database`);
  if (failed(after) > 0) throw new Error(`${failed(after)} failed after it was back`);
  phases.report(
    `database gone ${Math.round((backAtMs - goneAtMs) / 1000)} s`,
    `${valid(within)} valid and 0 failed within the lease` +
      (isLong ? `; past L ${failed(past)} answers, all 503` : '') +
      `; fresh again ${Math.round(freshMs)} ms after it was back`,
  );
}

/** From now until every node answers VALID. */
export async function timeToFresh({ cluster, steady }: Phases): Promise<number> {
  const began = performance.now();
  const { VerifyConnection, isAccepted } = await import('./verify-connection.ts');
  await Promise.all(
    cluster.nodes.map(async (node) => {
      const connection = new VerifyConnection(node);
      while (performance.now() - began < 60_000) {
        if (isAccepted(await connection.ask(steady[0] ?? '', defaultKeyspace.name))) break;
        await sleep(20);
      }
      connection.close();
    }),
  );
  return performance.now() - began;
}

function startLoads(phases: Phases, keyspace: string, keys: readonly string[]): readonly OpenLoad[] {
  return phases.cluster.nodes.map((target) => {
    const load = new OpenLoad({
      target,
      keyspace,
      keys,
      perSecond: 100,
      connectionsMax: 64,
      random: phases.random,
    });
    load.start();
    return load;
  });
}

async function stopLoads(loads: readonly OpenLoad[]): Promise<readonly LoadCounts[]> {
  await Promise.all(loads.map((load) => load.stop()));
  return loads.map((load) => load.take());
}

function expectKept(result: RevocationResult, counts: readonly LoadCounts[]): void {
  if (result.violations > 0) throw new Error(`${result.violations} acceptances after ack + T`);
  if (result.undone > 0) throw new Error(`${result.undone} acceptances after a refusal as revoked`);
  if (result.acked === 0) throw new Error('no revocation was acknowledged: nothing was shown');
  const refused = counts.reduce((sum, one) => sum + refusedOf(one), 0);
  if (refused > 0)
    throw new Error(`${refused} valid keys were refused: ${JSON.stringify(counts.map((c) => c.refused))}`);
}

function refusedOf({ refused }: LoadCounts): number {
  return Object.values(refused).reduce((sum, count) => sum + count, 0);
}

function tell(result: RevocationResult): string {
  const failed = result.failed > 0 ? `, ${result.failed} not acked` : '';
  const late = result.late > 0 ? `, ${result.late} replies later than T decided before it` : '';
  return `${result.acked} revoked${failed}: last acceptance after the ack ${spread(result.windowsMs)}; 0 after T${late}`;
}

function tellLoad(counts: readonly LoadCounts[]): string {
  const valid = counts.reduce((sum, one) => sum + one.valid, 0);
  const not = counts.reduce((sum, one) => sum + one.unavailable + one.lost + one.notSent, 0);
  const latencies = LatencyHistogram.from(...counts.map((one) => one.latencies.toSparse()));
  return `${valid} valid, ${not} not served, p99 ${latencies.quantile(0.99).toFixed(1)} ms`;
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSecondsOf } from '../load/measure.ts';
import type { BenchOptions } from './bench-args.ts';
import { BenchError } from './bench-error.ts';
import type { BurstResult, LevelResult, RunResult } from './bench-result.ts';
import { findCapacity, type Probe } from './find-capacity.ts';
import { fitUsl, type UslPoint } from './fit-usl.ts';
import { Generators } from './generators.ts';
import { flatnessOf, judgeBurst, judgeLevel, kneeOf, type LevelAsked } from './judge.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { issuePool, type Population, populate, revokePopulation } from './population.ts';
import { scrape, viewBetween } from './scrape.ts';
import { attachTarget, startTarget, type Target } from './target.ts';
import { endsKeys, type MixName } from './workload.ts';

/*
 * One target after another, on each one mix after another: what comes out of a closed loop, from there the capacity
 * under an open load, then the levels, then a burst. Nothing else runs beside it, and a level begins when the one
 * before has been answered.
 */

export type Say = (line: string) => void;

/** Between two loads: connections close, queues empty, the collector runs. */
const restMs = 500;
/** Keys that are there to be rotated and revoked before any was issued by a mix: of each its own, since it uses them up. */
const poolKeys = 4_000;
const burst = { beforeSeconds: 1, burstSeconds: 1, baseShare: 0.5, factor: 10 };

export interface BenchSurroundings {
  readonly say: Say;
  /** Ends the load; what was started is stopped before the error comes. */
  readonly signal: AbortSignal;
}

export async function runBench(
  options: BenchOptions,
  { say, signal }: BenchSurroundings,
): Promise<{ readonly runs: readonly RunResult[]; readonly left: readonly string[] }> {
  const runs: RunResult[] = [];
  const left: string[] = [];
  for (const start of targetsOf(options)) {
    const target = await start();
    try {
      say(`${target.name}: making keys`);
      const population = await populate(target, options.keys);
      try {
        for (const mix of options.mixes) {
          const run = await runMix({ options, target, population, say, signal }, mix);
          if (typeof run !== 'string') runs.push(run);
          else {
            say(run);
            left.push(run);
          }
        }
      } finally {
        if (!target.isOwn) await revokePopulation(target, population);
      }
    } finally {
      await target.stop();
    }
  }
  return { runs, left };
}

function targetsOf(options: BenchOptions): readonly (() => Promise<Target>)[] {
  const { url } = options;
  if (url !== undefined) return [() => attachTarget(url, process.env.KEYSWARM_KEY)];
  const pairs = options.stores.flatMap((store) =>
    options.workers
      .filter((workers) => workers === 1 || store === 'postgres')
      .map((workers) => ({ store, workers })),
  );
  if (pairs.length === 0) throw new BenchError('--workers: the embedded store has one process');
  return pairs.map(
    ({ store, workers }) =>
      () =>
        startTarget(store, workers),
  );
}

interface Ground {
  readonly options: BenchOptions;
  readonly target: Target;
  readonly population: Population;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** Or why there is nothing to measure it by. */
async function runMix(ground: Ground, mix: MixName): Promise<RunResult | string> {
  const { options, target, population, say } = ground;
  const { hostname, port } = new URL(target.url);
  const generators = new Generators({
    count: options.generators,
    host: hostname,
    port: Number(port || 80),
    schedule: options.schedule,
    seed: options.seed,
  });
  const stop = (): void => generators.stop();
  ground.signal.throwIfAborted();
  ground.signal.addEventListener('abort', stop);
  try {
    const { keyspace, good, bad } = population;
    const { managementKey } = target;
    await generators.plan({
      host: hostname,
      managementKey,
      keyspace,
      mix,
      good,
      bad,
      badShare: options.badShare,
      pool: endsKeys(mix) ? await issuePool(target, population, poolKeys) : [],
    });
    const closed = await runClosedSteps(generators, options);
    const most = Math.max(...closed.map(({ perSecond }) => perSecond));
    if (!(most > 0)) throw new BenchError(`${target.name}: no request of the mix ${mix} succeeds`);
    const { perSecond: capacity, probes } = await findCapacity(
      most,
      (rate) => probeAt(generators, options, rate),
      { probesMax: options.probesMax, ratioMax: 1.06 },
    );
    if (capacity === undefined) {
      return `${target.name}, ${mix}: not one of the rates that were tried was kept up with, down to ${probes.at(-1)?.perSecond.toFixed(0)} a second`;
    }
    say(`${target.name}, ${mix}: keeps up with ${capacity.toFixed(0)} a second`);
    const levels = await runLevels({ ...ground, generators }, capacity);
    const ofBurst = options.burst ? await runBurst(generators, options, capacity) : null;
    return {
      target: target.name,
      mix,
      capacityPerSecond: capacity,
      probes,
      closed,
      usl: fitUsl(closed) ?? null,
      levels,
      burst: ofBurst,
      kneePercent: kneeOf(levels),
      flatness: flatnessOf(levels),
    };
  } catch (error) {
    ground.signal.throwIfAborted();
    throw error;
  } finally {
    ground.signal.removeEventListener('abort', stop);
    generators.stop();
  }
}

async function runClosedSteps(generators: Generators, options: BenchOptions): Promise<readonly UslPoint[]> {
  // So that nothing is measured while its code is still being compiled.
  await generators.closed(Math.min(16, options.connections), options.probeSeconds);
  const points: UslPoint[] = [];
  for (const underWay of options.closedConnections.filter((count) => count <= options.connections)) {
    const { ok, seconds } = await generators.closed(underWay, options.probeSeconds / 2);
    points.push({ underWay, perSecond: ok / seconds });
  }
  return points;
}

async function probeAt(generators: Generators, options: BenchOptions, rate: number): Promise<Probe> {
  const seconds = options.probeSeconds;
  const tally = await generators.open([{ perSecond: rate, seconds }], options.connections);
  await sleep(restMs / 2);
  return {
    perSecond: tally.offered / seconds,
    goodputPerSecond: tally.ok / seconds,
    p99Ms: LatencyHistogram.from(tally.latency).quantile(0.99),
  };
}

async function runLevels(
  { options, target, say, generators }: Ground & { readonly generators: Generators },
  capacity: number,
): Promise<readonly LevelResult[]> {
  const results: LevelResult[] = [];
  for (const percent of options.levels) {
    const asked: LevelAsked = { percent, perSecond: (capacity * percent) / 100, seconds: options.seconds };
    const before = await scrape(target.url);
    const [cpuBefore, beganMs] = [await cpuOf(target), performance.now()];
    const tally = await generators.open([asked], options.connections);
    const tookSeconds = (performance.now() - beganMs) / 1000;
    const cpu = (await cpuOf(target)) - cpuBefore;
    const server = viewBetween(before, await scrape(target.url));
    const serverCpuShare = target.pids.length > 0 && Number.isFinite(cpu) ? cpu / tookSeconds : null;
    const level = judgeLevel(asked, tally, { server, serverCpuShare });
    results.push(level);
    say(
      `  ${String(percent).padStart(4)} %  offered ${level.offeredPerSecond.toFixed(0)}/s, in time ${level.goodputPerSecond.toFixed(0)}/s, p99 ${level.p99Ms?.toFixed(1) ?? '-'} ms${level.invalid === null ? '' : `  INVALID: ${level.invalid}`}`,
    );
    await sleep(restMs);
  }
  return results;
}

async function runBurst(
  generators: Generators,
  options: BenchOptions,
  capacity: number,
): Promise<BurstResult> {
  const basePerSecond = capacity * burst.baseShare;
  const burstPerSecond = capacity * burst.factor;
  const tally = await generators.open(
    [
      { perSecond: basePerSecond, seconds: burst.beforeSeconds },
      { perSecond: burstPerSecond, seconds: burst.burstSeconds },
      { perSecond: basePerSecond, seconds: options.burstAfterSeconds },
    ],
    options.connections,
  );
  await sleep(restMs);
  return judgeBurst(
    { ...burst, afterSeconds: options.burstAfterSeconds, basePerSecond, burstPerSecond },
    tally,
  );
}

async function cpuOf({ pids }: Target): Promise<number> {
  const each = await Promise.all(pids.map(cpuSecondsOf));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}

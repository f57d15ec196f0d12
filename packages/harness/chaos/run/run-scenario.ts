import { mkdirSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { metricOf } from '../../bound/node-process.ts';
import { type Checked, checkHistory } from '../checker/check-history.ts';
import { EventReader } from '../evidence/follow-events.ts';
import { readKeys } from '../evidence/read-keys.ts';
import { dumpStore, readStore } from '../evidence/read-store.ts';
import { SecretScan } from '../evidence/scan-secrets.ts';
import { History } from '../history/history.ts';
import { recoveryMsMax, settleMs } from '../limits.ts';
import { Clerk } from '../load/clerk.ts';
import { KeyBook } from '../load/key-book.ts';
import { type Rates, Workload } from '../load/workload.ts';
import { openStage } from '../stage/open-stage.ts';
import { boundMsOf, type Stage } from '../stage/stage.ts';
import { chanceOf } from './chance.ts';
import { createKeyspace, issueMany, type Population, populate } from './populate.ts';
import { everythingServes, type ProbePorts } from './recovery-probe.ts';
import type { FaultPlan, Run, Scenario, ScenarioResult } from './scenario.ts';
import { timelineOf } from './timeline.ts';

/*
 * The frame of every scenario: a stage, a population, a load; the scenario's faults; a while in which all that was under way comes to
 * its end; then the store, the events and the logs are read, and the history is judged.
 *
 * The seed gives the arrivals, the kinds of what is asked, and the schedule of the faults. Real processes on a real machine do not
 * run the same twice, so a seed brings back the circumstances of a failure and not the failure itself. What replays to the letter is
 * the simulation (packages/harness/sim).
 */

export interface RunOptions {
  readonly seed: number;
  readonly isShort: boolean;
  readonly length: number;
  readonly planted: string | undefined;
  /** Where the history and the logs are kept; undefined: nowhere. */
  readonly keepIn: string | undefined;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const usualRates = { verifies: 50, writes: 12 };

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const startedMs = performance.now();
  const startedAt = new Date().toISOString();
  const folder = options.keepIn === undefined ? undefined : join(options.keepIn, scenario.name);
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const history = new History(folder === undefined ? undefined : join(folder, 'history.jsonl'));
  const own = {
    violations: [] as string[],
    notes: [] as string[],
    reached: new Set<string>(),
    cleanups: [] as (() => Promise<void>)[],
  };
  let checked: Checked | undefined;
  let broken: string | undefined;
  try {
    const stage = await openStage(scenario.stage ?? {}, { planted: options.planted, signal: options.signal });
    try {
      checked = await playOn(stage, { scenario, options, history, own });
    } finally {
      if (folder !== undefined) await keepLogs(stage, folder);
      for (const cleanup of own.cleanups.reverse()) await cleanup();
      await stage.stop();
    }
  } catch (error) {
    broken = error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    history.close();
  }
  return {
    name: scenario.name,
    about: scenario.about,
    seed: options.seed,
    planted: options.planted,
    startedAt,
    seconds: (performance.now() - startedMs) / 1000,
    broken,
    checked,
    ownViolations: own.violations,
    notes: own.notes,
    sometimes: scenario.sometimes.map((target) => ({ target, reached: own.reached.has(target) })),
    operations: history.size,
    notSent: history.notSent,
    timeline: timelineOf(history, checked?.windows ?? []),
  };
}

interface Playing {
  readonly scenario: Scenario;
  readonly options: RunOptions;
  readonly history: History;
  readonly own: {
    readonly violations: string[];
    readonly notes: string[];
    readonly reached: Set<string>;
    readonly cleanups: (() => Promise<void>)[];
  };
}

async function playOn(stage: Stage, playing: Playing): Promise<Checked> {
  const { scenario, options, history, own } = playing;
  const chance = chanceOf(options.seed);
  const secrets = new SecretScan();
  secrets.add(stage.managementKey, 'the management key');
  const book = new KeyBook(chance('picks'));
  const { managementKey, servers } = stage;
  const clerk = new Clerk({
    desks: servers,
    managementKey,
    history,
    book,
    secrets,
    random: chance('clients'),
  });
  const population = { stage, book, history, secrets };
  await populate(population);
  const rates = { ...usualRates, ...scenario.rates };
  const boundsMs = new Map(stage.boundsMs);
  const workload = new Workload({
    targets: stage.nodes,
    clerk,
    book,
    history,
    rates,
    random: chance,
    watchMs: (keyspace) => (boundsMs.get(keyspace) ?? 0) + 800,
  });
  const probe = { workload, book, clerk, servers: servers.length, leaseAgeMs: leaseAgesOf(stage) };
  const events = new EventReader(servers.map(({ api }) => api));
  events.start();
  try {
    if (!(await everythingServes(probe, recoveryMsMax)))
      throw new Error('it did not serve before anything was done to it');
    workload.start();
    const house = { probe, population, rates, boundsMs, events, random: chance(scenario.name) };
    const run = runOf(stage, { ...playing, ...house });
    await run.seconds(options.isShort ? 1 : 2);
    await scenario.play(run);
    await run.seconds(settleMs / 1000);
  } finally {
    await workload.stop();
  }
  history.close();
  if (history.isFull)
    throw new Error(`the history was full after ${history.size} operations: what came later is not in it`);
  const finalKeys = await readKeys(servers[0]?.api ?? neverThere(), [...boundsMs.keys()]);
  const store = await readStore(stage.database.url);
  // After the store: what was in it then has to be among what was told.
  await events.finish();
  await searchAll(stage, { secrets, events, folder: options.keepIn, history });
  const evidence = {
    operations: history.operations(),
    faults: history.faults,
    boundsMs,
    finalKeys,
    ...store,
    events: events.seen,
    secrets: secrets.result(),
  };
  own.notes.push(`the reader of events was not answered ${events.failures} times`);
  return checkHistory(evidence);
}

interface RunHouse extends Playing {
  readonly probe: ProbePorts;
  readonly population: Population;
  readonly rates: Rates;
  readonly boundsMs: Map<string, number>;
  readonly events: EventReader;
  readonly random: () => number;
}

function runOf(stage: Stage, house: RunHouse): Run {
  const { options, history, own, probe, random, scenario, population } = house;
  const reached = (target: string): void => {
    if (!scenario.sometimes.includes(target)) throw new Error(`${scenario.name} has no target "${target}"`);
    own.reached.add(target);
  };
  return {
    stage,
    ...probe,
    history,
    rates: house.rates,
    events: () => house.events.seen,
    issueMany: (keyspace, count) => issueMany(population, keyspace, count),
    async addKeyspace(name, leaseSeconds) {
      await createKeyspace(stage, name, leaseSeconds);
      house.boundsMs.set(name, boundMsOf(leaseSeconds));
    },
    hide: (secret, key) => population.secrets.add(secret, `key ${key.number}`),
    random,
    isShort: options.isShort,
    length: options.length,
    signal: options.signal,
    say: options.say,
    seconds: (count) => wait(count * 1000, options.signal),
    async fault(plan: FaultPlan, work) {
      options.say(plan.name);
      const recoverWithinMs = plan.recoverWithinMs ?? recoveryMsMax;
      const mark = history.beginFault({ name: plan.name, affects: plan.affects, recoverWithinMs });
      try {
        await work();
      } finally {
        history.endFault(mark);
      }
      // Looked for longer than it may take, so that the report can say how long it did take.
      if (await everythingServes(probe, recoverWithinMs * 2)) history.recovered(mark);
      options.signal.throwIfAborted();
    },
    reached,
    reachedIf(target, since, isSo) {
      if (history.operations().slice(since).some(isSo)) reached(target);
    },
    later: (work) => void own.cleanups.push(work),
    violate: (what) => void own.violations.push(what),
    note: (line) => void own.notes.push(line),
  };
}

/** Every secret of the run, in everything that was written: logs, events, the whole store, and the history itself. */
async function searchAll(
  stage: Stage,
  house: {
    readonly secrets: SecretScan;
    readonly events: EventReader;
    readonly folder: string | undefined;
    readonly history: History;
  },
): Promise<void> {
  const { secrets, events, history } = house;
  for (const member of stage.cluster.members) secrets.scan(`the log of ${member.name}`, member.output());
  for (const node of stage.database.nodes)
    secrets.scan(`the log of ${node.name}`, await readFile(node.logPath, 'utf8').catch(() => ''));
  secrets.scan('the events', events.texts.join('\n'));
  secrets.scan('the history', JSON.stringify(history.operations()));
  for await (const { table, text } of dumpStore(stage.database.url)) secrets.scan(`the table ${table}`, text);
}

async function keepLogs(stage: Stage, folder: string): Promise<void> {
  for (const member of stage.cluster.members)
    await copyFile(member.logPath, join(folder, `${member.name}.log`)).catch(() => undefined);
}

function leaseAgesOf({ nodes }: Stage): (verifier: string) => Promise<number> {
  return async (verifier) => {
    const url = nodes.find(({ name }) => name === verifier)?.member.url ?? '';
    const ageS = await metricOf(url, 'keyswarm_lease_age_seconds');
    return Number.isNaN(ageS) ? Number.POSITIVE_INFINITY : ageS * 1000;
  };
}

/** A while that an interrupted run does not wait for. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}

function neverThere(): never {
  throw new Error('there is no server');
}

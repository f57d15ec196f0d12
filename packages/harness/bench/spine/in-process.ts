import { hash, randomFillSync } from 'node:crypto';
import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import { createResidentVerifier, type ResidentVerifier, systemVerifierClock } from '@keyswarm/verifier';
import { median } from './median.ts';
import { type Population, populate } from './population.ts';
import { type ReportRow, reportText } from './report.ts';

/*
 * Verification in process against the least that anybody could do: hash the string, look it up. The floor is
 * `crypto.hash('sha256', key, 'binary')` and `Map.get` in a Map of as many entries, keyed by that string: the
 * fastest encoding for both steps (hex is slower by 5–10 %, a Buffer can't be a Map key). Ours does the same hash
 * and then everything else: keyspace, scopes, expiry, watermarks, suspensions, the whole verdict, the lease, on the
 * machine's own clocks.
 *
 * Both see the same key strings in the same random order, in rounds that alternate; the ratio is the median of the
 * rounds' ratios, so that a noisy neighbour spoils rounds and not the figure.
 *
 *   node packages/harness/bench/spine/in-process.ts [--versions 10000,5000000] [--rounds 101] [--json]
 */

export interface InProcessOptions {
  readonly versions: readonly number[];
  readonly rounds: number;
  /** Key strings that are really presented: all of a small population, this many of a large one. */
  readonly sample: number;
}

export const inProcessDefaults: InProcessOptions = {
  versions: [10_000, 5_000_000],
  rounds: 101,
  sample: 250_000,
};

const callsPerRound = 20_000;
const warmupRounds = 15;
const floorEncoding = 'binary';

export function benchInProcess(options: InProcessOptions = inProcessDefaults): readonly ReportRow[] {
  return options.versions.flatMap((versions) => benchAt(versions, options));
}

function benchAt(versions: number, { rounds, sample }: InProcessOptions): readonly ReportRow[] {
  const before = process.memoryUsage();
  const verifier = createResidentVerifier({ clock: systemVerifierClock(), shards: 4 });
  const population = populate(verifier, versions, sample);
  settle(verifier);
  const after = process.memoryUsage();
  const floor = floorOf(population.keys, versions);
  const floorNs: number[] = [];
  const oursNs: number[] = [];
  for (let round = 0; round < warmupRounds + rounds; round += 1) {
    const from = (round * callsPerRound) % population.keys.length;
    const calls = callsFrom(population.keys, from);
    const floorRound = runFloor(floor, calls);
    const oursRound = runOurs(population, calls);
    if (round < warmupRounds) continue;
    floorNs.push(floorRound);
    oursNs.push(oursRound);
  }
  const name = versions.toLocaleString('en-US');
  return [
    {
      name: `verify in process, ${name} versions`,
      against: "crypto.hash('sha256') + Map.get",
      unit: 'ns/call',
      ours: median(oursNs),
      peer: median(floorNs),
      ratio: median(oursNs.map((ours, at) => (floorNs[at] ?? Number.NaN) / ours)),
      goal: { atLeast: 0.8 },
    },
    {
      name: `resident table, ${name} versions`,
      against: 'its own count',
      unit: 'B/version',
      ours: verifier.stats().tableBytes / verifier.stats().versions,
      peer: null,
      ratio: null,
      goal: { atMost: 80 },
    },
    {
      name: `  growth of ArrayBuffers in the process, ${name} versions`,
      against: 'process.memoryUsage()',
      unit: 'B/version',
      ours: (after.arrayBuffers - before.arrayBuffers) / versions,
      peer: null,
      ratio: null,
      goal: null,
    },
    {
      name: `  growth of the process with owners and garbage, ${name} versions`,
      against: 'process.memoryUsage().rss',
      unit: 'B/version',
      ours: (after.rss - before.rss) / versions,
      peer: null,
      ratio: null,
      goal: null,
    },
    {
      name: `  facts made and applied, ${name} versions`,
      against: 'cold, one thread',
      unit: 'k/s',
      ours: versions / population.buildSeconds / 1000,
      peer: null,
      ratio: null,
      goal: null,
    },
  ];
}

function callsFrom(keys: readonly string[], from: number): readonly string[] {
  return Array.from({ length: callsPerRound }, (_, at) => keys[(from + at) % keys.length] ?? '');
}

/** As many entries as the table has versions; those without a key string are keyed by random bytes. */
function floorOf(keys: readonly string[], versions: number): ReadonlyMap<string, number> {
  const entries = new Map<string, number>();
  const digest = Buffer.alloc(32);
  for (let at = 0; at < versions; at += 1) {
    const key = keys[at];
    if (key === undefined) randomFillSync(digest);
    entries.set(key === undefined ? digest.toString('latin1') : hash('sha256', key, floorEncoding), at);
  }
  return entries;
}

function runFloor(entries: ReadonlyMap<string, number>, calls: readonly string[]): number {
  let found = 0;
  const startMs = performance.now();
  for (let at = 0; at < calls.length; at += 1) {
    if (entries.get(hash('sha256', calls[at] ?? '', floorEncoding)) !== undefined) found += 1;
  }
  const ns = ((performance.now() - startMs) * 1e6) / calls.length;
  if (found !== calls.length) throw new Error('the floor knows every key');
  return ns;
}

function runOurs({ verifier, workspaceId }: Population, calls: readonly string[]): number {
  const requirement = { workspaceId, keyspace: undefined, scopes: ['orders:read'] };
  verifier.renewLease(performance.now());
  let valid = 0;
  const startMs = performance.now();
  for (let at = 0; at < calls.length; at += 1) {
    if (isGood(verifier, calls[at] ?? '', requirement)) valid += 1;
  }
  const ns = ((performance.now() - startMs) * 1e6) / calls.length;
  if (valid !== calls.length) throw new Error('every key of the population is valid');
  return ns;
}

/** The index carries on growing at each renewal; a table at rest has done so. */
function settle(verifier: ResidentVerifier): void {
  for (let bytes = 0; bytes !== verifier.stats().tableBytes; ) {
    bytes = verifier.stats().tableBytes;
    for (let renewal = 0; renewal < 1000; renewal += 1) verifier.renewLease(performance.now());
  }
}

/** Looks into the verdict, so that no part of it can be optimised away. */
function isGood(
  verifier: ResidentVerifier,
  key: string,
  requirement: Parameters<ResidentVerifier['verify']>[1],
): boolean {
  const verdict = verifier.verify(key, requirement);
  return verdict.valid === true && verdict.keyId.length === 30 && verdict.scopes.length === 2;
}

function optionAfter(flag: string): string | undefined {
  const at = argv.indexOf(flag);
  return at === -1 ? undefined : argv[at + 1];
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const rows = benchInProcess({
    ...inProcessDefaults,
    versions: (optionAfter('--versions')?.split(',') ?? inProcessDefaults.versions).map(Number),
    rounds: Number(optionAfter('--rounds') ?? inProcessDefaults.rounds),
  });
  console.log(reportText(rows, { json: argv.includes('--json') }));
}

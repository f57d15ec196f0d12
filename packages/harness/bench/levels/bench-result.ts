import type { Machine } from '../spine/report.ts';
import type { Schedule } from './arrivals.ts';
import type { Probe } from './find-capacity.ts';
import type { UslFit, UslPoint } from './fit-usl.ts';
import type { ServerView } from './scrape.ts';
import type { OpKind, Tally } from './tally.ts';
import type { MixName } from './workload.ts';

/* What a bench leaves behind: a file that can be read again, compared and drawn. */

export const resultVersion = 1;

export interface KindFigures {
  readonly okPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface LevelResult {
  /** Of the capacity. */
  readonly percent: number;
  readonly offeredPerSecond: number;
  readonly seconds: number;
  readonly goodputPerSecond: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
  /** Of what fell due. */
  readonly shedShare: number;
  readonly unsentShare: number;
  readonly lateShare: number;
  readonly failedShare: number;
  /** Verdicts that were not those of their keys. */
  readonly wrong: number;
  readonly kinds: Partial<Readonly<Record<OpKind, KindFigures>>>;
  readonly generatorLateP99Ms: number;
  /** Null where the level is a measurement; else why it is none. */
  readonly invalid: string | null;
  readonly serverCpuShare: number | null;
  readonly server: ServerView;
  readonly tally: Tally;
}

export interface BurstResult {
  readonly basePerSecond: number;
  readonly burstPerSecond: number;
  readonly burstSeconds: number;
  /** While it lasted. */
  readonly goodputPerSecond: number;
  /** From its end until nearly everything that falls due is answered in time again; null: it did not recover. */
  readonly recoveredAfterMs: number | null;
  readonly wrong: number;
  readonly invalid: string | null;
  readonly windowMs: number;
  readonly tally: Tally;
}

export interface RunResult {
  readonly target: string;
  readonly mix: MixName;
  readonly capacityPerSecond: number;
  readonly probes: readonly Probe[];
  readonly closed: readonly UslPoint[];
  readonly usl: UslFit | null;
  readonly levels: readonly LevelResult[];
  readonly burst: BurstResult | null;
  /** The highest level that was kept up with, in percent; null where none was. */
  readonly kneePercent: number | null;
  /** Goodput at the highest level over the highest goodput of all. */
  readonly flatness: number | null;
}

export interface BenchResult {
  readonly version: typeof resultVersion;
  readonly machine: Machine;
  readonly command: string;
  readonly keyswarm: string;
  readonly schedule: Schedule;
  readonly connections: number;
  readonly generators: number;
  readonly seed: number;
  readonly keys: number;
  readonly runs: readonly RunResult[];
  /** Mixes for which no rate was found that is kept up with; absent in files of before. */
  readonly left?: readonly string[];
}

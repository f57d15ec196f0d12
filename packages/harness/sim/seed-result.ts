import { type Sometimes, sometimesNames } from './check/sometimes.ts';
import { messageOfFailure, replayOf } from './print-failure.ts';
import { type Mode, simulate } from './simulation.ts';

/** What a seed came to, as one process tells another. */
export interface SeedResult {
  readonly seed: number;
  readonly hours: number;
  readonly events: number;
  readonly verdicts: number;
  readonly requests: number;
  readonly hash: string;
  readonly counts: readonly (readonly [name: Sometimes, count: number])[];
  /** Null: every promise was kept. */
  readonly failure: string | null;
}

export async function runSeed(
  options: { readonly seed: number; readonly hours: number; readonly mode: Mode },
  print?: (line: string) => void,
): Promise<SeedResult> {
  const { seed, hours, mode } = options;
  const report = await simulate({ ...options, ...(print === undefined ? {} : { print }) });
  return {
    seed,
    hours: report.hours,
    events: report.events,
    verdicts: report.verdicts,
    requests: report.requests,
    hash: report.hash,
    counts: sometimesNames.map((name) => [name, report.counts.count(name)] as const),
    failure: report.failure === undefined ? null : messageOfFailure(report, replayOf(seed, hours, mode)),
  };
}

import { type Sometimes, sometimesNames } from './check/sometimes.ts';
import { messageOfFailure, replayOf } from './print-failure.ts';
import { simulate, type WorldChoice } from './simulation.ts';

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

export async function runSeed(choice: WorldChoice, print?: (line: string) => void): Promise<SeedResult> {
  const report = await simulate({ ...choice, ...(print === undefined ? {} : { print }) });
  return {
    seed: choice.seed,
    hours: report.hours,
    events: report.events,
    verdicts: report.verdicts,
    requests: report.requests,
    hash: report.hash,
    counts: sometimesNames.map((name) => [name, report.counts.count(name)] as const),
    failure: report.failure === undefined ? null : messageOfFailure(report, replayOf(choice)),
  };
}

import { timeText } from './kernel/trace.ts';
import type { SimulationReport, WorldChoice } from './simulation.ts';

/** The command that has it happen again. */
export function replayOf({ seed, hours, mode, pace }: WorldChoice): string {
  return `npm run sim -- --seed ${seed} --hours ${hours} --mode ${mode} --pace ${pace} --trace`;
}

export function messageOfFailure({ seed, failure, plan }: SimulationReport, replay: string): string {
  if (failure === undefined) return '';
  const { error, atMs, last } = failure;
  const what =
    error instanceof Error ? (error.name === 'Violation' ? error.message : error.stack) : String(error);
  return [
    `seed ${seed} FAILED at ${timeText(atMs)}: ${what}`,
    `  world: ${JSON.stringify(plan)}`,
    ...last.map((line) => `  ${line}`),
    `  replay: ${replay}`,
  ].join('\n');
}

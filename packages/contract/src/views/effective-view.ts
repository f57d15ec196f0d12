import type { Effective } from '../schemas/effective.ts';
import { timeText } from './time.ts';

/** What was known when the wait for a change to be effective was over. */
export function effectiveView(outcome: {
  readonly atMs: number;
  readonly verifiers: number;
  readonly laggards: readonly {
    readonly id: string;
    readonly name: string;
    readonly leaseAgeMs: number | null;
  }[];
}): Effective {
  return {
    at: timeText(outcome.atMs),
    verifiers: outcome.verifiers,
    laggards: outcome.laggards.map(({ id, name, leaseAgeMs }) => ({
      id,
      name,
      ...(leaseAgeMs === null ? {} : { lease_age_ms: Math.max(0, Math.round(leaseAgeMs)) }),
    })),
  };
}

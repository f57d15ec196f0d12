import type { ScenarioResult } from '../run/scenario.ts';

/** What a run wrote down: `report.json`. */
export interface ChaosReport {
  readonly version: 1;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly date: string;
  };
  readonly keyswarm: string;
  readonly command: string;
  readonly seed: number;
  readonly planted: string | undefined;
  readonly results: readonly ScenarioResult[];
  /** Not run, and why. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

/** From the end of a fault until all was served again, the slowest; null: never, or there was none. */
export function slowestRecoveryMs({ timeline }: ScenarioResult): number | null {
  const took = timeline.faults.map(({ untilS, recoveredS }) =>
    recoveredS === null ? Number.POSITIVE_INFINITY : (recoveredS - untilS) * 1000,
  );
  const slowest = Math.max(0, ...took);
  return Number.isFinite(slowest) && took.length > 0 ? slowest : null;
}

export function worstWindowMs({ checked }: ScenarioResult): number {
  return Math.max(0, ...(checked?.windows ?? []).map(({ windowMs }) => windowMs));
}

export function percent(part: number, of: number): string {
  return of === 0 ? '–' : `${((part / of) * 100).toFixed(part === of ? 0 : 2)} %`;
}

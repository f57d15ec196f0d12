import type { ScenarioResult } from '../run/scenario.ts';
import { boundMsOf, keyspaces } from '../stage/stage.ts';

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

/** The longest from an acknowledgement to an acceptance, of keys of this keyspace. */
export function worstWindowMs({ checked }: ScenarioResult, keyspace: string): number {
  const own = (checked?.windows ?? []).filter((window) => window.keyspace === keyspace);
  return Math.max(0, ...own.map(({ windowMs }) => windowMs));
}

/** `2003 ms of 2020 (lease 2 s), 5701 ms of 30300 (lease 30 s)` */
export function windowsText(result: ScenarioResult): string {
  return Object.values(keyspaces)
    .map(
      ({ name, leaseSeconds }) =>
        `${Math.round(worstWindowMs(result, name))} ms of ${boundMsOf(leaseSeconds)} (lease ${leaseSeconds} s)`,
    )
    .join(', ');
}

export function percent(part: number, of: number): string {
  return of === 0 ? '–' : `${((part / of) * 100).toFixed(part === of ? 0 : 2)} %`;
}

import type { Checked } from '../checker/check-history.ts';
import type { SeenEvent } from '../checker/evidence.ts';
import type { History } from '../history/history.ts';
import type { Operation } from '../history/operation.ts';
import type { Clerk } from '../load/clerk.ts';
import type { BookKey, KeyBook } from '../load/key-book.ts';
import type { Rates, Workload } from '../load/workload.ts';
import type { Stage, StageWishes } from '../stage/stage.ts';

/*
 * One way to break the system, with a load on it all the while. What has to hold is the same for all of them and is checked by the
 * frame; a scenario says what is done, and what has to have happened for the run to have shown anything.
 */

export interface Scenario {
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  /** Programs that it can't do without: why it is left out here, or undefined. */
  readonly missing?: () => string | undefined;
  readonly stage?: StageWishes;
  readonly rates?: Partial<Rates>;
  /** Each has to have happened at least once, else the run has shown nothing and fails. */
  readonly sometimes: readonly string[];
  readonly play: (run: Run) => Promise<void>;
}

export interface FaultPlan {
  readonly name: string;
  /** Names of nodes and servers that may be away because of it. */
  readonly affects: readonly string[];
  readonly recoverWithinMs?: number;
}

export interface Run {
  readonly stage: Stage;
  readonly clerk: Clerk;
  readonly book: KeyBook;
  readonly workload: Workload;
  readonly history: History;
  /** Its usual ones. */
  readonly rates: Rates;
  /** What the reader of events has been given so far. */
  events(): readonly SeenEvent[];
  /** Keys that nobody changes but the scenario, issued in bulk. */
  issueMany(keyspace: string, count: number): Promise<readonly BookKey[]>;
  addKeyspace(name: string, leaseSeconds: number): Promise<void>;
  /** A secret that came past the clerk: searched for at the end as all others are. */
  hide(secret: string, key: BookKey): void;
  /** Of this scenario alone. */
  readonly random: () => number;
  readonly isShort: boolean;
  /** More than 1 where more minutes were asked for. */
  readonly length: number;
  readonly signal: AbortSignal;
  /** Says how it is going on. */
  say(line: string): void;
  seconds(count: number): Promise<void>;
  /** Does it, and then waits until everything is served again. */
  fault(plan: FaultPlan, work: () => Promise<void>): Promise<void>;
  /** Done at the very end, before the stage is ended, whatever becomes of the run. */
  later(work: () => Promise<void>): void;
  reached(target: string): void;
  /** Reaches the target if any operation since then is so. */
  reachedIf(target: string, since: number, isSo: (operation: Operation) => boolean): void;
  /** A promise that only this scenario looks at was broken. */
  violate(what: string): void;
  /** One line of evidence that only this scenario has. */
  note(line: string): void;
}

export interface ScenarioResult {
  readonly name: string;
  readonly about: string;
  readonly seed: number;
  readonly planted: string | undefined;
  readonly startedAt: string;
  readonly seconds: number;
  /** Undefined: everything was looked at; else why the run broke off. */
  readonly broken: string | undefined;
  readonly checked: Checked | undefined;
  readonly ownViolations: readonly string[];
  readonly notes: readonly string[];
  readonly sometimes: readonly { readonly target: string; readonly reached: boolean }[];
  readonly operations: number;
  readonly notSent: number;
  readonly timeline: Timeline;
}

export interface Timeline {
  readonly seconds: number;
  readonly faults: readonly {
    readonly name: string;
    readonly fromS: number;
    readonly untilS: number;
    readonly recoveredS: number | null;
  }[];
  /** Verifications by the second in which they were asked. */
  readonly valid: readonly number[];
  readonly refused: readonly number[];
  readonly away: readonly number[];
  readonly lost: readonly number[];
  readonly acked: readonly number[];
  readonly windows: readonly { readonly atS: number; readonly ms: number }[];
}

export function isPassed(result: ScenarioResult): boolean {
  return (
    result.broken === undefined &&
    result.checked !== undefined &&
    result.checked.verdicts.every(({ holds }) => holds) &&
    result.ownViolations.length === 0 &&
    result.sometimes.every(({ reached }) => reached)
  );
}

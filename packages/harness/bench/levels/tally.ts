import { LatencyHistogram, type SparseCounts } from './latency-histogram.ts';

/*
 * What became of the requests of one level. Each that fell due ends in exactly one of `ok`, `late`, `shed`, `unsent`,
 * `failed` and `wrong`.
 */

export const opKinds = ['issue', 'verify', 'rotate', 'revoke'] as const;
export type OpKind = (typeof opKinds)[number];

/** An answer later than this after its request was due is of no use to whoever asked. */
export const deadlineMs = 1000;
/** A caller waits this long for a free connection of its pool, then gives up and says so to whoever asked it. */
export const patienceMs = 250;
export const windowMs = 100;

export interface KindTally {
  readonly ok: number;
  readonly latency: SparseCounts;
}

export interface Tally {
  readonly offered: number;
  /** As expected, within the deadline: the goodput. */
  readonly ok: number;
  /** As expected, past the deadline. */
  readonly late: number;
  /** Turned away by the server: 429 and 503. */
  readonly shed: number;
  /** No connection was free within the patience. */
  readonly unsent: number;
  /** Any other status, and connections that broke. */
  readonly failed: number;
  /** A verdict that is not that of the key: a rule bent. */
  readonly wrong: number;
  /** What was not `ok` or `late`, by status and code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** From due to answered, of `ok` and `late`. */
  readonly latency: SparseCounts;
  readonly kinds: Readonly<Record<OpKind, KindTally>>;
  /** From due to when the generator saw that it was. */
  readonly lateness: SparseCounts;
  /** Of each tenth of a second, by when they were due. */
  readonly windowsOffered: readonly number[];
  readonly windowsOk: readonly number[];
}

export class TallyKeeper {
  readonly #counts = { offered: 0, ok: 0, late: 0, shed: 0, unsent: 0, failed: 0, wrong: 0 };
  readonly #refusals: Record<string, number> = {};
  readonly #latency = new LatencyHistogram();
  readonly #lateness = new LatencyHistogram();
  readonly #kinds = kindsOf(() => ({ ok: 0, latency: new LatencyHistogram() }));
  readonly #windowsOffered: number[] = [];
  readonly #windowsOk: number[] = [];

  due(dueMs: number, nowMs: number): void {
    this.#counts.offered += 1;
    this.#lateness.record(nowMs - dueMs);
    bump(this.#windowsOffered, dueMs);
  }

  unsent(): void {
    this.#counts.unsent += 1;
  }

  answered(kind: OpKind, dueMs: number, nowMs: number): void {
    const tookMs = nowMs - dueMs;
    this.#latency.record(tookMs);
    const ofKind = this.#kinds[kind];
    ofKind.latency.record(tookMs);
    if (tookMs > deadlineMs) {
      this.#counts.late += 1;
      return;
    }
    this.#counts.ok += 1;
    ofKind.ok += 1;
    bump(this.#windowsOk, dueMs);
  }

  refused(how: 'shed' | 'failed' | 'wrong', name: string): void {
    this.#counts[how] += 1;
    this.#refusals[name] = (this.#refusals[name] ?? 0) + 1;
  }

  toTally(): Tally {
    return {
      ...this.#counts,
      refusals: this.#refusals,
      latency: this.#latency.toSparse(),
      kinds: kindsOf((kind) => ({ ok: this.#kinds[kind].ok, latency: this.#kinds[kind].latency.toSparse() })),
      lateness: this.#lateness.toSparse(),
      windowsOffered: filled(this.#windowsOffered),
      windowsOk: filled(this.#windowsOk),
    };
  }
}

/** What several generators counted, as if they were one. */
export function mergeTallies(tallies: readonly Tally[]): Tally {
  const sum = (of: (tally: Tally) => number): number => tallies.reduce((all, tally) => all + of(tally), 0);
  const merged = (of: (tally: Tally) => SparseCounts): SparseCounts =>
    LatencyHistogram.from(...tallies.map(of)).toSparse();
  const refusals: Record<string, number> = {};
  for (const [name, count] of tallies.flatMap((tally) => Object.entries(tally.refusals))) {
    refusals[name] = (refusals[name] ?? 0) + count;
  }
  return {
    offered: sum((tally) => tally.offered),
    ok: sum((tally) => tally.ok),
    late: sum((tally) => tally.late),
    shed: sum((tally) => tally.shed),
    unsent: sum((tally) => tally.unsent),
    failed: sum((tally) => tally.failed),
    wrong: sum((tally) => tally.wrong),
    refusals,
    latency: merged((tally) => tally.latency),
    kinds: kindsOf((kind) => ({
      ok: sum((tally) => tally.kinds[kind].ok),
      latency: merged((tally) => tally.kinds[kind].latency),
    })),
    lateness: merged((tally) => tally.lateness),
    windowsOffered: addLists(tallies.map((tally) => tally.windowsOffered)),
    windowsOk: addLists(tallies.map((tally) => tally.windowsOk)),
  };
}

export function kindsOf<T>(make: (kind: OpKind) => T): Record<OpKind, T> {
  return { issue: make('issue'), verify: make('verify'), rotate: make('rotate'), revoke: make('revoke') };
}

function bump(windows: number[], dueMs: number): void {
  const at = Math.floor(dueMs / windowMs);
  windows[at] = (windows[at] ?? 0) + 1;
}

function filled(windows: readonly number[]): readonly number[] {
  return Array.from(windows, (count) => count ?? 0);
}

function addLists(lists: readonly (readonly number[])[]): readonly number[] {
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length }, (_, at) => lists.reduce((sum, list) => sum + (list[at] ?? 0), 0));
}

import type { LoadOptions } from '../load/raw-load.ts';

/** One thing that is measured, in every round once. */
export interface Contestant {
  readonly name: string;
  /** With its versions. */
  readonly what: string;
  /** Work done a second, over `seconds`. */
  readonly run: (seconds: number) => Promise<number>;
}

/** Contestants that do the same work; the first is ours. */
export interface Contest {
  readonly title: string;
  readonly unit: string;
  /** What is the same and what is not. */
  readonly about: string;
  readonly contestants: readonly Contestant[];
  /** By the name of a peer: how many times its figure ours has to reach. */
  readonly goals: Readonly<Record<string, number>>;
}

export interface ContestResult {
  readonly title: string;
  readonly unit: string;
  readonly about: string;
  readonly rows: readonly {
    readonly name: string;
    readonly what: string;
    readonly perSecond: number;
    /** Ours over it, median of the rounds; null for ours. */
    readonly ratio: number | null;
    readonly goal: number | null;
  }[];
}

/** Everybody once a round, so that what the machine does beside it falls on all of them. */
export async function runContest(
  contest: Contest,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<ContestResult> {
  const figures = contest.contestants.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, contestant] of contest.contestants.entries()) {
      figures[at]?.push(await contestant.run(seconds));
    }
  }
  const ours = figures[0] ?? [];
  const { title, unit, about } = contest;
  const rows = contest.contestants.map(({ name, what }, at) => {
    const mine = figures[at] ?? [];
    return {
      name,
      what,
      perSecond: medianOf(mine),
      ratio: at === 0 ? null : medianOf(mine.map((peer, round) => (ours[round] ?? Number.NaN) / peer)),
      goal: contest.goals[name] ?? null,
    };
  });
  return { title, unit, about, rows };
}

function medianOf(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const middle = Math.floor(ascending.length / 2);
  const upper = ascending[middle] ?? Number.NaN;
  return ascending.length % 2 === 1 ? upper : (upper + (ascending[middle - 1] ?? upper)) / 2;
}

/** A closed load of the raw generator, the same for every server. */
export function loadOf(
  run: (options: LoadOptions) => Promise<{
    readonly counted: number;
    readonly seconds: number;
    readonly statuses: Readonly<Record<string, number>>;
  }>,
  options: Omit<LoadOptions, 'seconds' | 'warmupSeconds'>,
  expected: '200' | '201',
): (seconds: number) => Promise<number> {
  return async (seconds) => {
    const result = await run({ ...options, seconds, warmupSeconds: Math.min(1, seconds / 2) });
    const others = Object.keys(result.statuses).filter((status) => status !== expected);
    if (others.length > 0) throw new Error(`not only ${expected}: ${JSON.stringify(result.statuses)}`);
    return result.counted / result.seconds;
  };
}

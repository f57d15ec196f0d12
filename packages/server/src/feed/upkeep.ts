import {
  feedDaysAhead,
  feedRetentionDays,
  sweepRoundsMax,
  sweepRowsMax,
  upkeepLockMsMax,
  upkeepPeriodMs,
} from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import {
  boundLocks,
  createDay,
  type Day,
  dayAt,
  deleteBefore,
  dropDay,
  listDays,
} from '../storage/statements/feed-partitions.ts';
import { sweepIdempotency } from '../storage/statements/sweep-idempotency.ts';
import type { Store } from '../storage/store.ts';
import type { StoreClock } from '../storage/store-clock-port.ts';

/*
 * What has to be done now and then, by every server process: a partition for the days to come, the drop of days
 * that are past retention, the sweep of replies that nobody may ask for any more. Every step is a transaction of
 * its own and safe to be done twice or by two processes at once; a step that fails is told of and left to the
 * next run, since nothing breaks meanwhile (rows without a partition of their own fall into the default one, and
 * an old day only takes space).
 *
 * Changing partitions needs locks that commits have to wait for. The wait for such a lock is bounded: behind a
 * long read it would otherwise stop all writes for as long as that read takes.
 */

export interface UpkeepOptions {
  readonly store: Store;
  readonly shards: number;
  readonly storeClock: StoreClock;
  readonly retentionDays?: number;
  readonly daysAhead?: number;
  /** How long a change of partitions waits for its lock. */
  readonly lockMsMax?: number;
}

/** What failed in a run: the step's name and why. */
export interface UpkeepProblem {
  readonly step: string;
  readonly error: unknown;
}

export async function runUpkeep(options: UpkeepOptions): Promise<readonly UpkeepProblem[]> {
  const { store } = options;
  const problems: UpkeepProblem[] = [];
  const step = async (name: string, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      problems.push({ step: name, error });
      return false;
    }
  };
  await step('read the clock', async () => {
    const nowMs = await options.storeClock.nowMs();
    const days = daysOf(nowMs, options);
    await step('list days', async () => {
      for (const { change, day } of dayChanges(await listDays(store), days)) {
        // What holds up one change of partitions holds up the next: each would stop commits for its wait again.
        if (!(await step(`${change} day ${day}`, () => changeDay(options, change, day)))) break;
      }
    });
    await step('sweep the default day', () => store.transaction((tx) => deleteBefore(tx, days.oldest)));
    await step('sweep replies', () => sweepReplies(options, nowMs));
  });
  return problems;
}

interface WantedDays {
  readonly oldest: Day;
  readonly ahead: readonly Day[];
}

function daysOf(nowMs: number, options: UpkeepOptions): WantedDays {
  const { retentionDays = feedRetentionDays, daysAhead = feedDaysAhead } = options;
  return {
    oldest: dayAt(nowMs, -retentionDays),
    ahead: Array.from({ length: daysAhead + 1 }, (_, offset) => dayAt(nowMs, offset)),
  };
}

type DayChange = 'create' | 'drop';

/** Days to come first: rows without a partition are the greater nuisance. */
function dayChanges(
  days: readonly Day[],
  { oldest, ahead }: WantedDays,
): readonly { readonly change: DayChange; readonly day: Day }[] {
  return [
    ...ahead.filter((day) => !days.includes(day)).map((day) => ({ change: 'create' as const, day })),
    ...days.filter((day) => day < oldest).map((day) => ({ change: 'drop' as const, day })),
  ];
}

export interface Upkeep {
  /** A run now, or the one that is under way. */
  run(): Promise<void>;
  /** No further run begins; resolves when the last one has ended. */
  stop(): Promise<void>;
}

/** The first run begins at once, further ones every hour. */
export function startUpkeep(
  options: UpkeepOptions & {
    readonly timers: Timers;
    readonly periodMs?: number;
    readonly onProblem?: (problem: UpkeepProblem) => void;
  },
): Upkeep {
  let running: Promise<void> | undefined;
  const runOnce = async (): Promise<void> => {
    for (const problem of await runUpkeep(options)) options.onProblem?.(problem);
    running = undefined;
  };
  const run = (): Promise<void> => {
    running ??= runOnce();
    return running;
  };
  const cancel = options.timers.every(options.periodMs ?? upkeepPeriodMs, () => void run());
  void run();
  return {
    run,
    async stop() {
      cancel();
      await running;
    },
  };
}

async function changeDay(options: UpkeepOptions, change: DayChange, day: Day): Promise<void> {
  const { store, lockMsMax = upkeepLockMsMax } = options;
  try {
    await store.transaction(async (tx) => {
      await boundLocks(tx, lockMsMax);
      await (change === 'create' ? createDay(tx, day) : dropDay(tx, day));
    });
  } catch (error) {
    // Several processes do this at the same time. What counts is how it is now, not who got there first.
    const isThere = (await listDays(store)).includes(day);
    if (isThere !== (change === 'create')) throw error;
  }
}

async function sweepReplies(options: UpkeepOptions, nowMs: number): Promise<void> {
  for (let shard = 0; shard < options.shards; shard += 1) {
    for (let round = 0; round < sweepRoundsMax; round += 1) {
      if ((await sweepIdempotency(options.store, shard, nowMs, sweepRowsMax)) < sweepRowsMax) break;
    }
  }
}

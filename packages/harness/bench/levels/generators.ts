import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Schedule, Segment } from './arrivals.ts';
import type { ClosedTally } from './closed-run.ts';
import type { GeneratorOrder } from './generator-process.ts';
import { mergeTallies, type Tally } from './tally.ts';
import type { WorkloadPlan } from './workload.ts';

const script = fileURLToPath(new URL('./generator-process.ts', import.meta.url));

export interface GeneratorsOptions {
  readonly count: number;
  readonly host: string;
  readonly port: number;
  readonly schedule: Schedule;
  readonly seed: number;
}

/** Several processes that make one load: each takes its part of the rate, of the connections and of the keys. */
export class Generators {
  readonly #options: GeneratorsOptions;
  readonly #children: readonly ChildProcess[];
  #runs = 0;

  constructor(options: GeneratorsOptions) {
    this.#options = options;
    this.#children = Array.from({ length: options.count }, () =>
      fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    );
  }

  async plan(plan: WorkloadPlan): Promise<void> {
    const { count, seed } = this.#options;
    await this.#each((at) => ({
      kind: 'plan',
      seed: seed + 1_000 + at,
      plan: { ...plan, pool: plan.pool.filter((_, index) => index % count === at) },
    }));
  }

  async open(segments: readonly Segment[], connections: number): Promise<Tally> {
    const { host, port, count, schedule, seed } = this.#options;
    this.#runs += 1;
    const mine = segments.map(({ perSecond, seconds }) => ({ perSecond: perSecond / count, seconds }));
    const tallies = await this.#each<Tally>((at) => ({
      kind: 'open',
      options: {
        host,
        port,
        connections: partOf(connections, count, at),
        schedule,
        segments: mine,
        seed: seed + this.#runs * 100 + at,
        phase: at / count,
      },
    }));
    return mergeTallies(tallies);
  }

  async closed(connections: number, seconds: number): Promise<ClosedTally> {
    const { host, port, count } = this.#options;
    const tallies = await this.#each<ClosedTally>((at) => ({
      kind: 'closed',
      options: { host, port, connections: partOf(connections, count, at), seconds },
    }));
    const sum = (of: (tally: ClosedTally) => number) => tallies.reduce((all, tally) => all + of(tally), 0);
    return { ok: sum((tally) => tally.ok), other: sum((tally) => tally.other), seconds };
  }

  stop(): void {
    for (const child of this.#children) if (child.connected) child.disconnect();
  }

  #each<T>(orderFor: (at: number) => GeneratorOrder): Promise<T[]> {
    return Promise.all(this.#children.map((child, at) => tell<T>(child, orderFor(at))));
  }
}

function tell<T>(child: ChildProcess, order: GeneratorOrder): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const onMessage = (message: { readonly result?: T; readonly error?: string }): void => {
      settle();
      if (message.error === undefined) resolve(message.result as T);
      else reject(new Error(`a generator failed: ${message.error}`));
    };
    const onExit = (): void => {
      settle();
      reject(new Error('a generator ended before its work did'));
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.send(order);
  });
}

function partOf(whole: number, count: number, at: number): number {
  return Math.floor(whole / count) + (at < whole % count ? 1 : 0);
}

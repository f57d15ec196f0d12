import type { Timers } from '@keyswarm/verifier/timers';
import type { Scheduler } from './scheduler.ts';
import type { SeededRandom } from './seeded-random.ts';

/** By how much a timer is late at the most when nothing is wrong. */
const timerLateMsMax = 2;

/** A machine with two clocks: both may run fast or slow, and the wall clock may be set. It outlives what runs on it. */
export class Machine {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  #rate: number;
  #sinceMs: number;
  #monotonicMs: number;
  #wallAheadMs: number;

  constructor(
    name: string,
    ground: { readonly scheduler: Scheduler; readonly random: SeededRandom },
    clocks: { readonly rate: number; readonly wallMs: number },
  ) {
    this.name = name;
    this.scheduler = ground.scheduler;
    this.random = ground.random;
    this.#rate = clocks.rate;
    this.#sinceMs = ground.scheduler.nowMs;
    this.#monotonicMs = 1000 + this.random.below(1_000_000);
    this.#wallAheadMs = clocks.wallMs - this.#monotonicMs;
  }

  get rate(): number {
    return this.#rate;
  }

  monotonicMs(): number {
    return this.#monotonicMs + (this.scheduler.nowMs - this.#sinceMs) * this.#rate;
  }

  wallMs(): number {
    return this.monotonicMs() + this.#wallAheadMs;
  }

  /** Somebody sets the wall clock. */
  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  /** From now on the clocks run so fast. */
  setRate(rate: number): void {
    this.#monotonicMs = this.monotonicMs();
    this.#sinceMs = this.scheduler.nowMs;
    this.#rate = rate;
  }

  /** The machine sleeps, or its host does: the wall clock runs on and the monotonic one does not. */
  fallBehind(ms: number): void {
    this.#monotonicMs -= ms;
    this.#wallAheadMs += ms;
  }
}

/** One life of a program on a machine: it is started once, may be paused, and is killed or ends. */
export class Life {
  readonly machine: Machine;
  readonly timers: Timers;
  #isAlive = true;
  #isPaused = false;
  #held: (() => void)[] = [];
  readonly #onBreak: Set<() => void> = new Set();

  constructor(machine: Machine) {
    this.machine = machine;
    this.timers = timersOf(this);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Something reaches this program: now, once it goes on, or never. */
  reach(run: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isPaused) this.#held.push(run);
    else run();
  }

  /** Told when it is paused or killed; the returned function takes that back. */
  onBreak(listener: () => void): () => void {
    this.#onBreak.add(listener);
    return () => this.#onBreak.delete(listener);
  }

  pause(): void {
    this.#isPaused = true;
    for (const listener of [...this.#onBreak]) listener();
  }

  resume(): void {
    this.#isPaused = false;
    for (const run of this.#held.splice(0)) this.machine.scheduler.schedule(0, () => this.reach(run));
  }

  kill(): void {
    this.#isAlive = false;
    this.#held = [];
    for (const listener of [...this.#onBreak]) listener();
    this.#onBreak.clear();
  }
}

function timersOf(life: Life): Timers {
  const { machine } = life;
  const inTrueMs = (delayMs: number) =>
    Math.max(0, delayMs) / machine.rate + machine.random.next() * timerLateMsMax;
  const after = (delayMs: number, run: () => void) => {
    let isOff = false;
    const cancel = machine.scheduler.schedule(inTrueMs(delayMs), () =>
      life.reach(() => {
        if (!isOff) run();
      }),
    );
    return () => {
      isOff = true;
      cancel();
    };
  };
  return {
    after,
    every(periodMs, run) {
      let cancel = () => {};
      const again = () => {
        cancel = after(periodMs, () => {
          again();
          run();
        });
      };
      again();
      return () => cancel();
    },
    sleep: (delayMs, signal) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const abort = () => {
          cancel();
          reject(signal?.reason);
        };
        const cancel = after(delayMs, () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        });
        signal?.addEventListener('abort', abort, { once: true });
      }),
  };
}

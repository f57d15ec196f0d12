import { EventHeap, type ScheduledEvent } from './event-heap.ts';
import type { SeededRandom } from './seeded-random.ts';
import { closeTheHouse } from './traps.ts';

/*
 * Virtual time. Everything that waits in a simulation waits here: timers, messages, answers of the store. One event
 * runs at a time; then all promises that it settled, and those that these settle, until nothing is left to be done
 * without waiting; then the next event, and the clock with it. So an hour takes as long as what happens in it.
 *
 * Events of one instant run in an order that the seed draws. The product's own turns of the event loop (`setImmediate`)
 * are events too. While the simulation runs, the machine's clock, timers and chance are shut (`traps.ts`): a part
 * that reaches for them ends the run, and is not merely a run that can't be had again.
 */

/** Events between two turns of the real event loop, which a test runner needs to hear of its worker. */
const eventsPerTurn = 20_000;

export class Scheduler {
  nowMs = 0;
  events = 0;
  readonly #heap = new EventHeap();
  readonly #random: SeededRandom;
  #failure: { readonly error: unknown } | undefined;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Runs `run` so much later; the returned function calls it off. */
  schedule(delayMs: number, run: () => void): () => void {
    const event: ScheduledEvent = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.#random.next(),
      run,
    };
    this.#heap.push(event);
    return () => {
      event.run = undefined;
    };
  }

  /** Ends the run: the first failure is the one that counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Lets time pass up to an instant. Rejects with the first failure. */
  async runUntil(endMs: number): Promise<void> {
    const opened = { open: closeTheHouse((run) => this.schedule(0, run)) };
    try {
      await new Promise<void>((resolve, reject) => {
        const step = () => {
          if (this.#failure !== undefined) return reject(this.#failure.error);
          const event = this.#heap.popUntil(endMs);
          if (event === undefined) {
            this.nowMs = endMs;
            return resolve();
          }
          this.nowMs = event.atMs;
          this.events += 1;
          try {
            event.run?.();
          } catch (error) {
            return reject(error);
          }
          if (this.events % eventsPerTurn === 0) this.#yieldTo(step, opened);
          else afterPromises(step);
        };
        // What was begun before has to come as far as it can.
        afterPromises(step);
      });
    } finally {
      opened.open();
    }
  }

  #yieldTo(step: () => void, opened: { open: () => void }): void {
    afterPromises(() => {
      opened.open();
      setImmediate(() => {
        opened.open = closeTheHouse((run) => this.schedule(0, run));
        step();
      });
    });
  }
}

/**
 * Once every promise that can be settled is. A tick that a microtask asks for comes when the queue of microtasks is
 * empty, whatever they have added to it meanwhile.
 */
function afterPromises(run: () => void): void {
  queueMicrotask(() => process.nextTick(run));
}

import type { Scheduler } from './scheduler.ts';

/** Lines that are kept for whoever reads a failure without having asked for all of them. */
const lastLinesKept = 60;

/**
 * What happened, a line each, with a hash over all lines: two runs of one seed are the same run if their hashes agree. Lines
 * are kept only where somebody wants to read them.
 */
export class Trace {
  readonly #scheduler: Scheduler;
  readonly #print: ((line: string) => void) | undefined;
  readonly #last: string[] = [];
  #high = 0x9e3779b9;
  #low = 0x85ebca6b;
  lines = 0;

  constructor(scheduler: Scheduler, print?: (line: string) => void) {
    this.#scheduler = scheduler;
    this.#print = print;
  }

  /** `who` does `what`. */
  add(who: string, what: string): void {
    const line = `${timeText(this.#scheduler.nowMs)} ${who.padEnd(12)} ${what}`;
    this.lines += 1;
    for (let at = 0; at < line.length; at += 1) {
      const unit = line.charCodeAt(at);
      this.#high = Math.imul(this.#high ^ unit, 0x01000193);
      this.#low = Math.imul(this.#low ^ unit, 0x5bd1e995) ^ (this.#low >>> 15);
    }
    this.#print?.(line);
    this.#last.push(line);
    if (this.#last.length > lastLinesKept) this.#last.shift();
  }

  get hash(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  /** The end of it. */
  get last(): readonly string[] {
    return this.#last;
  }
}

/** `1:02:03.456` since the beginning. */
export function timeText(ms: number): string {
  const total = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const rest = String(Math.floor(ms % 1000)).padStart(3, '0');
  return `${Math.floor(total / 3600)}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}.${rest}`;
}

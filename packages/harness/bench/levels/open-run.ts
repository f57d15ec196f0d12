import { arrivals, type Schedule, type Segment, seededRandom } from './arrivals.ts';
import { HttpLine, type LineReply } from './http-line.ts';
import { deadlineMs, patienceMs, type Tally, TallyKeeper } from './tally.ts';
import type { Ask, Workload } from './workload.ts';

/*
 * The open loop: requests fall due on a schedule, whatever becomes of those before them, and every latency counts from
 * when its request was due. What falls due while all connections are busy waits here, its wait is counted, and when
 * the patience is over it is given up, as a caller with a pool of connections does. So an overloaded server is met by
 * what a fleet of clients really sends it, and neither spared by a generator that waits nor drowned by one that has
 * connections without end.
 */

export interface OpenRunOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly schedule: Schedule;
  readonly segments: readonly Segment[];
  readonly seed: number;
  readonly phase: number;
}

/** After the last request was due. Then what has not been answered counts as failed. */
const lastAnswersMs = 2 * deadlineMs;

export function runOpen(options: OpenRunOptions, workload: Workload): Promise<Tally> {
  return new OpenRun(options, workload).run();
}

class OpenRun {
  readonly #workload: Workload;
  readonly #tally = new TallyKeeper();
  readonly #lines: readonly HttpLine[];
  readonly #idle: HttpLine[];
  readonly #due: Iterator<number>;
  /** Due and not sent yet, oldest first from `#first` on. */
  #waiting: number[] = [];
  #first = 0;
  #next: number | undefined;
  #underWay = 0;
  #beganMs = 0;

  constructor(options: OpenRunOptions, workload: Workload) {
    const { schedule, segments, seed, phase } = options;
    this.#workload = workload;
    this.#lines = Array.from({ length: options.connections }, () => new HttpLine(options));
    this.#idle = [...this.#lines];
    this.#due = arrivals({ schedule, segments, random: seededRandom(seed), phase });
  }

  async run(): Promise<Tally> {
    this.#beganMs = performance.now();
    this.#next = this.#due.next().value;
    let stopAtMs = Number.POSITIVE_INFINITY;
    while (this.#next !== undefined || this.#underWay > 0 || this.#first < this.#waiting.length) {
      this.#turn();
      if (this.#next === undefined && stopAtMs === Number.POSITIVE_INFINITY) {
        stopAtMs = this.#nowMs() + lastAnswersMs;
      }
      if (this.#nowMs() > stopAtMs) break;
      // A millisecond is the finest that a timer knows; a loop without rest would take a core from what is measured.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (const line of this.#lines) line.close();
    for (let left = this.#underWay; left > 0; left -= 1) this.#tally.refused('failed', 'no answer');
    return this.#tally.toTally();
  }

  #nowMs(): number {
    return performance.now() - this.#beganMs;
  }

  #turn(): void {
    const nowMs = this.#nowMs();
    while (this.#next !== undefined && this.#next <= nowMs) {
      this.#tally.due(this.#next, nowMs);
      this.#waiting.push(this.#next);
      this.#next = this.#due.next().value;
    }
    this.#send(nowMs);
  }

  #send(nowMs: number): void {
    while (this.#first < this.#waiting.length) {
      const dueMs = this.#waiting[this.#first] ?? nowMs;
      if (nowMs - dueMs > patienceMs) {
        this.#tally.unsent();
      } else {
        const line = this.#idle.pop();
        if (line === undefined) break;
        this.#ask(line, dueMs);
      }
      this.#first += 1;
    }
    if (this.#first > 10_000) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
  }

  #ask(line: HttpLine, dueMs: number): void {
    const ask = this.#workload.next();
    this.#underWay += 1;
    line.ask(ask.request, (reply) => {
      this.#underWay -= 1;
      this.#idle.push(line);
      const nowMs = this.#nowMs();
      this.#judge(ask, reply, { dueMs, nowMs });
      this.#send(nowMs);
    });
  }

  #judge(ask: Ask, reply: LineReply, when: { readonly dueMs: number; readonly nowMs: number }): void {
    const outcome = outcomeOf(ask, reply);
    if (outcome === 'ok') {
      this.#workload.note(ask, reply.text);
      this.#tally.answered(ask.kind, when.dueMs, when.nowMs);
    } else {
      this.#tally.refused(outcome, `${reply.status} ${codeOf(reply.text) || '-'}`);
    }
  }
}

export function outcomeOf(ask: Ask, { status, text }: LineReply): 'ok' | 'shed' | 'failed' | 'wrong' {
  if (status === 429 || status === 503) return 'shed';
  if (status < 200 || status > 299) return 'failed';
  return ask.code === undefined || codeOf(text) === ask.code ? 'ok' : 'wrong';
}

function codeOf(text: string): string {
  return /"code":"([a-z_]+)"/.exec(text)?.[1] ?? '';
}

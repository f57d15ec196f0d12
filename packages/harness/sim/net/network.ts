import type { Life } from '../kernel/machine.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { SeededRandom } from '../kernel/seeded-random.ts';

/** What is wrong with one direction between two machines. */
export interface Way {
  isCut: boolean;
  delayMsMax: number;
  lossShare: number;
  /** Of what is pushed: a broker may. */
  duplicateShare: number;
  reorderShare: number;
}

const goodWay: Way = { isCut: false, delayMsMax: 3, lossShare: 0, duplicateShare: 0, reorderShare: 0 };
/** What waits in buffers for a way that is cut; past that it is dropped. */
const heldMax = 200;
/** Of what waited, what arrives when the way is open again; the rest went down with its connection. */
const survivesCut = 0.7;

/** A machine on the network, and what serves there at present. */
export interface Host<Service> {
  readonly name: string;
  readonly life: Life | undefined;
  readonly service: Service | undefined;
}

export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #ways = new Map<string, Way>();
  readonly #held = new Map<string, (() => void)[]>();
  readonly #lastArrival = new Map<string, number>();
  lost = 0;

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Changes one direction. */
  set(from: string, to: string, change: Partial<Way>): void {
    const way = { ...this.#wayOf(from, to), ...change };
    this.#ways.set(`${from}>${to}`, way);
    if (change.isCut === false) this.#letGo(`${from}>${to}`);
  }

  heal(): void {
    const names = [...this.#held.keys()];
    this.#ways.clear();
    for (const name of names) this.#letGo(name);
  }

  isCut(from: string, to: string): boolean {
    return this.#wayOf(from, to).isCut;
  }

  /** A question, and its answer or the word that there will be none. Without either it hangs until `signal` aborts. */
  call<Service, Answer>(
    from: Life,
    host: Host<Service>,
    serve: (service: Service) => Promise<Answer>,
    limits: { readonly signal?: AbortSignal | undefined; readonly msMax?: number },
  ): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const { signal, msMax } = limits;
      const late = () => reject(new Unreachable('no answer in time'));
      const cancel = msMax === undefined ? () => {} : from.timers.after(msMax, late);
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      const back = (tell: () => void) => {
        this.#pass(host.name, from.machine.name, () =>
          from.reach(() => {
            cancel();
            tell();
          }),
        );
      };
      this.#pass(from.machine.name, host.name, () => {
        const { life, service } = host;
        if (life === undefined || service === undefined || !life.isAlive)
          return back(() => reject(new Unreachable('refused')));
        life.reach(() => {
          const forget = life.onBreak(() => {
            if (!life.isAlive) back(() => reject(new Unreachable('reset')));
          });
          serve(service).then(
            (answer) => {
              forget();
              if (life.isAlive) back(() => resolve(answer));
            },
            (error: unknown) => {
              forget();
              if (life.isAlive) back(() => reject(error));
            },
          );
        });
      });
    });
  }

  /** Something that is pushed. In order, unless the way says otherwise. False: it is lost, or waits for a way that is cut. */
  push(from: Life, to: Life, deliver: () => void): boolean {
    const name = `${from.machine.name}>${to.machine.name}`;
    const way = this.#wayOf(from.machine.name, to.machine.name);
    const arrive = () => to.reach(deliver);
    if (way.isCut) {
      this.#hold(name, arrive);
      return false;
    }
    if (this.#random.chance(way.lossShare)) {
      this.lost += 1;
      return false;
    }
    const dueMs = this.#scheduler.nowMs + this.#delayMs(way);
    const isOutOfOrder = this.#random.chance(way.reorderShare);
    const atMs = isOutOfOrder
      ? dueMs + 5 * way.delayMsMax
      : Math.max(dueMs, this.#lastArrival.get(name) ?? 0);
    if (!isOutOfOrder) this.#lastArrival.set(name, atMs);
    this.#scheduler.schedule(atMs - this.#scheduler.nowMs, arrive);
    if (this.#random.chance(way.duplicateShare))
      this.#scheduler.schedule(atMs - this.#scheduler.nowMs + 20 * this.#delayMs(way), arrive);
    return true;
  }

  #pass(from: string, to: string, arrive: () => void): void {
    const way = this.#wayOf(from, to);
    if (way.isCut) this.#hold(`${from}>${to}`, arrive);
    else if (this.#random.chance(way.lossShare)) this.lost += 1;
    else this.#scheduler.schedule(this.#delayMs(way), arrive);
  }

  #delayMs(way: Way): number {
    return 0.1 + this.#random.next() * way.delayMsMax;
  }

  #hold(name: string, arrive: () => void): void {
    const held = this.#held.get(name) ?? [];
    this.#held.set(name, held);
    if (held.length < heldMax) held.push(arrive);
    else this.lost += 1;
  }

  /** What waited in buffers comes late, or not at all. */
  #letGo(name: string): void {
    const held = this.#held.get(name) ?? [];
    this.#held.delete(name);
    for (const arrive of held) {
      if (this.#random.chance(survivesCut)) this.#scheduler.schedule(this.#random.between(1, 50), arrive);
      else this.lost += 1;
    }
  }

  #wayOf(from: string, to: string): Way {
    return this.#ways.get(`${from}>${to}`) ?? goodWay;
  }
}

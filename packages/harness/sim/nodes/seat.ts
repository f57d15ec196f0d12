import { Life, type Machine } from '../kernel/machine.ts';
import type { Host } from '../net/network.ts';

/** A place on a machine where one program runs, is killed and is started again. */
export class Seat<Service> implements Host<Service> {
  readonly machine: Machine;
  readonly #start: (life: Life) => Promise<Service>;
  #life: Life | undefined;
  #service: Service | undefined;
  boots = 0;

  constructor(machine: Machine, start: (life: Life) => Promise<Service>) {
    this.machine = machine;
    this.#start = start;
  }

  get name(): string {
    return this.machine.name;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  /** Undefined: nothing runs, or it has not come up yet. */
  get service(): Service | undefined {
    return this.#service;
  }

  /** Running and not paused: something may be asked of it from within its own process. */
  get isUp(): boolean {
    return this.#service !== undefined && this.#life?.isAlive === true && !this.#life.isPaused;
  }

  boot(): void {
    this.kill();
    const life = new Life(this.machine);
    this.#life = life;
    this.boots += 1;
    this.#start(life).then(
      (service) => {
        if (life.isAlive) this.#service = service;
      },
      (error: unknown) => this.machine.scheduler.fail(error),
    );
  }

  kill(): void {
    this.#life?.kill();
    this.#life = undefined;
    this.#service = undefined;
  }
}

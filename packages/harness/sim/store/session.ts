import { Fault } from '@keyswarm/core';
import type { Row, Statement } from '@keyswarm/server/rooms/storage/store';
import type { SimStoreOptions } from './sim-store.ts';
import type { SimTransaction } from './sim-transaction.ts';

/** How long an answer is waited for that does not come. */
const answerMsMax = 15_000;
/** After how long the engine ends a session whose client has gone silent within a transaction. */
const idleInTransactionMs = 10_000;
/** How soon it hears that a client has died. */
const resetMsMax = 500;

/** The link broke, the engine went away, or no answer came in its time. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost';

  constructor() {
    super('the session is lost');
  }
}

/** One connection and the one transaction on it. */
export class Session {
  readonly #options: SimStoreOptions;
  readonly #tx: SimTransaction;
  readonly #number: number;
  readonly #forgetBreak: () => void;
  #committed = false;
  /** Raised by every step, so that the engine knows whether its client went on. */
  #steps = 0;

  constructor(options: SimStoreOptions, isolation: 'read committed' | 'repeatable read') {
    this.#options = options;
    this.#tx = options.engine.begin({ isolation });
    this.#number = options.weather.session;
    this.#forgetBreak = options.life.onBreak(() => this.#clientBroke());
  }

  get hasCommitted(): boolean {
    return this.#committed;
  }

  async run(statement: Statement, params: readonly unknown[]): Promise<readonly Row[]> {
    if (this.#tx.hasEnded) throw new SessionLost();
    try {
      return await this.#options.engine.run(this.#tx, statement, params);
    } catch (error) {
      if (this.#tx.hasEnded && !(error instanceof Fault)) throw new SessionLost();
      throw error;
    }
  }

  commitNow(): void {
    if (this.#committed) return;
    if (this.#tx.hasEnded) throw new SessionLost();
    this.#forgetBreak();
    this.#options.engine.commit(this.#tx);
    this.#committed = true;
  }

  /** The client has no more to say. */
  leave(): void {
    this.#forgetBreak();
    this.#options.engine.rollback(this.#tx);
  }

  /** A trip to the engine, what is done there, and the trip back. */
  ask<T>(act: () => T | Promise<T>): Promise<T> {
    const { life } = this.#options;
    this.#steps += 1;
    // In good weather most trips are one step: half as many events for the same times.
    const isOneWay = this.#options.weather.tripMsMax < 5 && this.#options.random.chance(0.75);
    return new Promise<T>((resolve, reject) => {
      const settle = (how: () => void) => life.reach(how);
      this.#after(this.#tripMs() + (isOneWay ? this.#tripMs() : 0), () => {
        if (this.#isLost()) return this.#hang(() => settle(() => reject(new SessionLost())));
        Promise.resolve()
          .then(act)
          .then(
            (value) => {
              if (isOneWay) settle(() => resolve(value));
              else this.#back(() => settle(() => resolve(value)), reject, settle);
            },
            (error: unknown) => {
              if (isOneWay) settle(() => reject(error));
              else this.#back(() => settle(() => reject(error)), reject, settle);
            },
          );
      });
    });
  }

  #back(tell: () => void, reject: (error: unknown) => void, settle: (how: () => void) => void): void {
    this.#after(this.#tripMs(), () => {
      if (this.#isLost()) this.#hang(() => settle(() => reject(new SessionLost())));
      else tell();
    });
  }

  /** Nothing comes back: a reset tells so at once, and silence after the time that it is given. */
  #hang(give: () => void): void {
    const { random, engine } = this.#options;
    const isReset = random.chance(0.6);
    this.#after(isReset ? random.next() * resetMsMax : answerMsMax, () => {
      give();
      engine.rollback(this.#tx);
    });
  }

  #isLost(): boolean {
    const { weather, life, isOperator } = this.#options;
    if (weather.session !== this.#number || weather.isDown) return true;
    if (weather.isOperatorsOnly && isOperator !== true) return true;
    return weather.cutOff.has(life.machine.name);
  }

  /** Paused or dead: the engine ends the session, at once when it hears of it, or when it has been silent for too long. */
  #clientBroke(): void {
    const { life, random, engine } = this.#options;
    const steps = this.#steps;
    const silentMs = life.isAlive ? idleInTransactionMs : random.next() * resetMsMax;
    this.#after(silentMs, () => {
      if (this.#steps === steps) engine.rollback(this.#tx);
    });
  }

  #tripMs(): number {
    const { weather, random } = this.#options;
    return 0.1 + random.next() * weather.tripMsMax;
  }

  #after(ms: number, run: () => void): void {
    this.#options.life.machine.scheduler.schedule(ms, run);
  }
}

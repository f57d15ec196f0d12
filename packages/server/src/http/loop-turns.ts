import { turnMsMax } from '../limits.ts';

/*
 * One poll of Node's event loop takes 1,024 events, and where as many were ready it polls again, up to 48 times, before it
 * looks at timers and at what waits for the next turn. With over a thousand connections that always have a request that is
 * five seconds and more in which no lease is renewed, nothing times out and nobody new is let in. So once a turn has taken
 * its time, whoever asks is answered and then not read from until the next one: fewer are ready, and the turn ends.
 */

/** As much of a socket as it takes to leave it alone for a while. */
export interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

export class LoopTurns {
  readonly #nowMs: () => number;
  readonly #held = new Set<Pausable>();
  #beganMs: number | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A request has come by this connection. */
  asked(connection: Pausable): void {
    const nowMs = this.#nowMs();
    if (this.#beganMs === undefined) {
      this.#beganMs = nowMs;
      setImmediate(() => this.#end());
    } else if (nowMs - this.#beganMs > turnMsMax) {
      connection.pause();
      this.#held.add(connection);
    }
  }

  #end(): void {
    this.#beganMs = undefined;
    for (const connection of this.#held) connection.resume();
    this.#held.clear();
  }
}

import { isAccepted, type Verdict, VerifyConnection, type VerifyTarget } from '../bound/verify-connection.ts';
import type { Minted } from './minting.ts';

/*
 * Tokens presented to one node: each new one as soon as it is there, and of all so far one at random, at a rate.
 */

export interface Presented {
  readonly minted: Minted;
  readonly verdict: Verdict;
}

export class Presenting {
  readonly #target: VerifyTarget;
  readonly #onSeen: (seen: Presented) => void;
  readonly #idle: VerifyConnection[] = [];
  readonly #all: VerifyConnection[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #stopped = false;
  #ended: Promise<void> = Promise.resolve();
  #notSent = 0;

  constructor(target: VerifyTarget, onSeen: (seen: Presented) => void) {
    this.#target = target;
    this.#onSeen = onSeen;
  }

  /** Due and not sent, because as many as may be were under way. */
  get notSent(): number {
    return this.#notSent;
  }

  startLoad(load: {
    readonly perSecond: number;
    readonly random: () => number;
    readonly pick: () => Minted | undefined;
  }): void {
    this.#ended = this.#run(load);
  }

  present(minted: Minted): void {
    const connection = this.#idle.pop() ?? this.#newConnection();
    if (connection === undefined) {
      this.#notSent += 1;
      return;
    }
    const asking = connection.ask(minted.token, minted.keyspace.name).then((verdict) => {
      this.#idle.push(connection);
      this.#underWay.delete(asking);
      this.#onSeen({ minted, verdict });
    });
    this.#underWay.add(asking);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    await Promise.all(this.#underWay);
    for (const connection of this.#all) connection.close();
  }

  async #run({ perSecond, random, pick }: Parameters<Presenting['startLoad']>[0]): Promise<void> {
    let dueMs = performance.now();
    while (!this.#stopped) {
      const nowMs = performance.now();
      while (dueMs <= nowMs) {
        const minted = pick();
        if (minted !== undefined) this.present(minted);
        dueMs += (-Math.log(1 - random()) / perSecond) * 1000;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, dueMs - nowMs)));
    }
  }

  #newConnection(): VerifyConnection | undefined {
    if (this.#all.length >= connectionsMax) return undefined;
    const connection = new VerifyConnection(this.#target);
    this.#all.push(connection);
    return connection;
  }
}

const connectionsMax = 64;

export function isRefusal({ verdict }: Presented): boolean {
  return verdict.status === 200 && !isAccepted(verdict);
}

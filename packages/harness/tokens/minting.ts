import type { IssuedKey } from '../acceptance/api.ts';
import { deriveOne, issueOne, kidOf, NotTaken, type TokenHouse, type TokenKeyspace } from './token-house.ts';

/*
 * Tokens made at a rate, open loop: keys that are tokens and tokens derived of opaque keys in turn. What is due is sent
 * whatever became of those before.
 */

export interface Minted {
  readonly token: string;
  readonly keyspace: TokenKeyspace;
  readonly kid: string;
  /** When it was asked for, and when it was here. */
  readonly askedAtMs: number;
  readonly madeAtMs: number;
}

export interface MintingOptions {
  readonly perSecond: number;
  readonly parents: readonly IssuedKey[];
  readonly random: () => number;
  readonly onMinted: (minted: Minted) => void;
}

export class Minting {
  readonly #house: TokenHouse;
  readonly #options: MintingOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #made: Minted[] = [];
  #notTaken = 0;
  #broken: unknown;
  #stopped = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(house: TokenHouse, options: MintingOptions) {
    this.#house = house;
    this.#options = options;
  }

  start(): void {
    this.#ended = this.#run();
  }

  get made(): readonly Minted[] {
    return this.#made;
  }

  /** Asked for, and answered with 503 or 429. */
  get notTaken(): number {
    return this.#notTaken;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    await Promise.all(this.#underWay);
    if (this.#broken !== undefined) throw this.#broken;
  }

  async #run(): Promise<void> {
    const { perSecond, random } = this.#options;
    let dueMs = performance.now();
    for (let at = 0; !this.#stopped; ) {
      const nowMs = performance.now();
      for (; dueMs <= nowMs; at += 1) {
        const making = this.#mint(at).finally(() => this.#underWay.delete(making));
        this.#underWay.add(making);
        dueMs += (-Math.log(1 - random()) / perSecond) * 1000;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, dueMs - nowMs)));
    }
  }

  async #mint(at: number): Promise<void> {
    const { cluster, issuer, tokens, opaque } = this.#house;
    const parent = this.#options.parents[at % this.#options.parents.length];
    const askedAtMs = performance.now();
    const isDerived = at % 2 === 1 && parent !== undefined;
    try {
      const token = isDerived
        ? await deriveOne(issuer, parent.secret)
        : (await issueOne(cluster.api, tokens, at)).secret;
      const keyspace = isDerived ? opaque : tokens;
      const minted = { token, keyspace, kid: kidOf(token), askedAtMs, madeAtMs: performance.now() };
      this.#made.push(minted);
      this.#options.onMinted(minted);
    } catch (error) {
      if (error instanceof NotTaken && (error.status === 503 || error.status === 429)) this.#notTaken += 1;
      else this.#broken ??= error;
    }
  }
}

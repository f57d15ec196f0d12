import { tokensRememberedMax } from '../limits.ts';
import type { ReadToken } from './read-token.ts';

/**
 * Tokens whose signature was verified, by their digest. Two generations: what is asked for moves to the younger one, and when
 * that is full the older one goes. So the bound holds, what is in use stays, and no entry has to be aged one by one.
 *
 * Only good tokens are remembered. A forged one costs a verification each time it is tried, which is the price of not
 * letting a flood of them push out the good ones.
 */
export class TokenCache {
  #young = new Map<string, ReadToken>();
  #old = new Map<string, ReadToken>();
  readonly #generationMax: number;

  constructor(entriesMax = tokensRememberedMax) {
    this.#generationMax = Math.max(1, Math.floor(entriesMax / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(digest: string): ReadToken | undefined {
    const young = this.#young.get(digest);
    if (young !== undefined) return young;
    const old = this.#old.get(digest);
    if (old !== undefined) this.set(digest, old);
    return old;
  }

  set(digest: string, token: ReadToken): void {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(digest, token);
  }
}

import { type KeyId, shardOfId } from '@keyswarm/core';
import type { Life } from '../history/operation.ts';

/* What the clients of a run hold: their keys and secrets, and what they were told last of each. */

export interface BookKey {
  readonly number: number;
  readonly keyspace: string;
  readonly id: string;
  /** By version, from the first. */
  readonly secrets: string[];
  /** Of the last change of it that was acknowledged. */
  lastSeq: string;
  /** `unsure`: a change of it was never answered. */
  life: Life | 'unsure';
  /** A change of it is under way. */
  isBusy: boolean;
  rotatedAtMs: number;
  readonly expiresAtMs: number;
}

/** As many as a store has unless told otherwise. */
const spreadShards = 16;

export class KeyBook {
  /** Of each keyspace: keys that nobody ever changes. */
  readonly #steady = new Map<string, BookKey[]>();
  /** All others, oldest first. */
  readonly #changing: BookKey[] = [];
  readonly #ended: BookKey[] = [];
  readonly #random: () => number;
  readonly #steadyNumbers = new Set<number>();
  #numbers = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  isSteady(number: number): boolean {
    return this.#steadyNumbers.has(number);
  }

  addSteady(key: BookKey): void {
    this.#steadyNumbers.add(key.number);
    const own = this.#steady.get(key.keyspace);
    if (own === undefined) this.#steady.set(key.keyspace, [key]);
    else own.push(key);
  }

  add(key: BookKey): void {
    this.#changing.push(key);
  }

  end(key: BookKey): void {
    const at = this.#changing.indexOf(key);
    if (at >= 0) this.#changing.splice(at, 1);
    this.#ended.push(key);
  }

  get all(): readonly BookKey[] {
    return [...[...this.#steady.values()].flat(), ...this.#changing, ...this.#ended];
  }

  get ended(): readonly BookKey[] {
    return this.#ended;
  }

  steady(keyspace: string): BookKey | undefined {
    return this.#pick(this.#steady.get(keyspace) ?? []);
  }

  /** Steady keys of different shards, one of each. */
  spread(keyspace: string): readonly BookKey[] {
    const byShard = new Map<number, BookKey>();
    for (const key of this.#steady.get(keyspace) ?? [])
      byShard.set(shardOfId(key.id as KeyId, spreadShards), key);
    return [...byShard.values()];
  }

  /** Any key that is not steady; the younger the likelier. */
  recent(): BookKey | undefined {
    const count = this.#changing.length;
    return this.#changing[count - 1 - Math.floor(this.#random() ** 2 * count)];
  }

  refused(): BookKey | undefined {
    return this.#pick(this.#ended);
  }

  /** One that may be changed now. */
  free(where: (key: BookKey) => boolean): BookKey | undefined {
    return this.#pick(this.#changing.filter((key) => !key.isBusy && where(key)));
  }

  #pick(keys: readonly BookKey[]): BookKey | undefined {
    return keys[Math.floor(this.#random() * keys.length)];
  }
}

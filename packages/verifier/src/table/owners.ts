import type { OwnerFact, OwnerId, OwnerKind } from '@keyswarm/core';

/** What a verdict says of the owner. Frozen: every verdict on its keys carries the same object. */
export interface OwnerView {
  readonly id: OwnerId;
  readonly kind: OwnerKind;
  readonly externalId: string;
}

/*
 * Owners, each once, by index. A key names its owner by index and the owner holds its own state, so suspending it
 * is one write here however many keys it has. Columns instead of objects, because a verification of one key among
 * millions meets a cold owner: the common case (seen, not suspended, no watermark) reads one small integer and
 * the view that the verdict carries, and nothing behind them.
 *
 * A key may come before its owner's fact; until the fact comes, the owner is `unseen`. An unseen owner goes when
 * its last key goes. A seen one stays, as it does in the store, because its suspension must hold for the key that
 * is issued to it next.
 */

const suspendedBit = 1;
const watermarkBit = 2;
const unseen = 4;

export class Owners {
  readonly #indices = new Map<OwnerId, number>();
  readonly #ids: (OwnerId | undefined)[] = [];
  readonly #views: (OwnerView | undefined)[] = [];
  readonly #states: number[] = [];
  readonly #revisions: number[] = [];
  readonly #references: number[] = [];
  readonly #watermarksMs = new Map<number, number>();
  readonly #free: number[] = [];

  get size(): number {
    return this.#indices.size;
  }

  /** The index of this owner, with one more key pointing at it. */
  acquire(id: OwnerId): number {
    const index = this.#indexOf(id);
    this.#references[index] = (this.#references[index] ?? 0) + 1;
    return index;
  }

  release(index: number): void {
    const left = (this.#references[index] ?? 0) - 1;
    this.#references[index] = left;
    const id = this.#ids[index];
    if (left > 0 || this.#states[index] !== unseen || id === undefined) return;
    this.#indices.delete(id);
    this.#ids[index] = undefined;
    this.#free.push(index);
  }

  apply(fact: OwnerFact): void {
    const index = this.#indexOf(fact.id);
    if (fact.revision <= (this.#revisions[index] ?? 0)) return;
    this.#revisions[index] = fact.revision;
    this.#views[index] = Object.freeze({ id: fact.id, kind: fact.kind, externalId: fact.externalId });
    this.#states[index] =
      (fact.state === 'active' ? 0 : suspendedBit) | (fact.keysNotBeforeMs === null ? 0 : watermarkBit);
    if (fact.keysNotBeforeMs === null) this.#watermarksMs.delete(index);
    else this.#watermarksMs.set(index, fact.keysNotBeforeMs);
  }

  /** Undefined until the owner's fact has come. */
  view(index: number): OwnerView | undefined {
    return this.#views[index];
  }

  isSuspended(index: number): boolean {
    return ((this.#states[index] ?? suspendedBit) & suspendedBit) !== 0;
  }

  /** -Infinity: no version was ever cut off. */
  keysNotBeforeMs(index: number): number {
    if (((this.#states[index] ?? 0) & watermarkBit) === 0) return Number.NEGATIVE_INFINITY;
    return this.#watermarksMs.get(index) ?? Number.POSITIVE_INFINITY;
  }

  #indexOf(id: OwnerId): number {
    const known = this.#indices.get(id);
    if (known !== undefined) return known;
    const index = this.#free.pop() ?? this.#ids.length;
    this.#indices.set(id, index);
    this.#ids[index] = id;
    this.#views[index] = undefined;
    this.#states[index] = unseen;
    this.#revisions[index] = 0;
    this.#references[index] = 0;
    return index;
  }
}

import { assert, type OwnerFact, type OwnerId, type OwnerKind } from '@keyswarm/core';

/** What a verdict says of the owner. Frozen: every verdict on its keys carries the same object. */
export interface OwnerView {
  readonly id: OwnerId;
  readonly kind: OwnerKind;
  readonly externalId: string;
}

export interface OwnerRestriction {
  readonly suspended: boolean;
  /** -Infinity: no version was ever cut off. */
  readonly keysNotBeforeMs: number;
}

/*
 * Owners, each once, by index. A key names its owner by index and the owner holds its own state, so suspending it
 * is one write here however many keys it has. Columns instead of objects, because a verification of one key among
 * millions meets a cold owner: it reads one reference, the view that the verdict carries, and nothing behind it.
 * Owners that restrict their keys are few and stand in a map of their own.
 *
 * A key may come before its owner's fact; until the fact comes, the owner has no view. Such an owner goes when its
 * last key goes. One that was seen stays, as it does in the store, because its suspension must hold for the key
 * that is issued to it next.
 */
export class Owners {
  readonly #indices = new Map<OwnerId, number>();
  readonly #ids: (OwnerId | undefined)[] = [];
  readonly #views: (OwnerView | undefined)[] = [];
  readonly #revisions: number[] = [];
  readonly #references: number[] = [];
  readonly #restrictions = new Map<number, OwnerRestriction>();
  readonly #free: number[] = [];

  get size(): number {
    return this.#indices.size;
  }

  /** The index of this owner, with one more version pointing at it. */
  acquire(id: OwnerId): number {
    const index = this.#indexOf(id);
    this.#references[index] = (this.#references[index] ?? 0) + 1;
    return index;
  }

  release(index: number): void {
    const left = (this.#references[index] ?? 0) - 1;
    this.#references[index] = left;
    const id = this.#ids[index];
    if (left > 0 || this.#views[index] !== undefined || id === undefined) return;
    this.#indices.delete(id);
    this.#ids[index] = undefined;
    this.#free.push(index);
  }

  apply(fact: OwnerFact): void {
    const index = this.#indexOf(fact.id);
    if (fact.revision <= (this.#revisions[index] ?? 0)) return;
    this.#revisions[index] = fact.revision;
    this.#views[index] = Object.freeze({ id: fact.id, kind: fact.kind, externalId: fact.externalId });
    if (fact.state === 'active' && fact.keysNotBeforeMs === null) {
      this.#restrictions.delete(index);
    } else {
      const keysNotBeforeMs = fact.keysNotBeforeMs ?? Number.NEGATIVE_INFINITY;
      this.#restrictions.set(index, { suspended: fact.state !== 'active', keysNotBeforeMs });
    }
  }

  /** Undefined until the owner's fact has come. */
  view(index: number): OwnerView | undefined {
    return this.#views[index];
  }

  idOf(index: number): OwnerId {
    const id = this.#ids[index];
    assert(id !== undefined, 'a record points at an owner that is there');
    return id;
  }

  /** As it was last applied; undefined until then. */
  factOf(index: number): OwnerFact | undefined {
    const view = this.#views[index];
    if (view === undefined) return undefined;
    const { suspended, keysNotBeforeMs } = this.#restrictions.get(index) ?? unrestricted;
    return {
      id: view.id,
      revision: this.#revisions[index] ?? 0,
      kind: view.kind,
      externalId: view.externalId,
      state: suspended ? 'suspended' : 'active',
      keysNotBeforeMs: Number.isFinite(keysNotBeforeMs) ? keysNotBeforeMs : null,
    };
  }

  /** Undefined where the owner restricts nothing, which is nearly always. */
  restriction(index: number): OwnerRestriction | undefined {
    return this.#restrictions.size === 0 ? undefined : this.#restrictions.get(index);
  }

  #indexOf(id: OwnerId): number {
    const known = this.#indices.get(id);
    if (known !== undefined) return known;
    const index = this.#free.pop() ?? this.#ids.length;
    this.#indices.set(id, index);
    this.#ids[index] = id;
    this.#views[index] = undefined;
    this.#revisions[index] = 0;
    this.#references[index] = 0;
    return index;
  }
}

const unrestricted: OwnerRestriction = Object.freeze({
  suspended: false,
  keysNotBeforeMs: Number.NEGATIVE_INFINITY,
});

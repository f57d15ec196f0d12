import { assert } from '@keyswarm/core';

interface Revised {
  readonly revision: number;
}

/**
 * One kind of thing as a batch sees it, in three layers: what was read, what earlier writes of the batch made
 * of it, and what the write in hand is making of it. The last one is kept or dropped as a whole, so that a
 * refused write leaves no trace in what its neighbours see.
 */
export class RecordTable<Id, Item extends Revised> {
  /** `undefined` is an answer: it was looked for, and it isn't there. */
  readonly #read = new Map<Id, Item | undefined>();
  readonly #kept = new Map<Id, Item>();
  readonly #inHand = new Map<Id, Item>();

  /** Notes that these were looked for. */
  expect(ids: Iterable<Id>): void {
    for (const id of ids) if (!this.#read.has(id)) this.#read.set(id, undefined);
  }

  load(id: Id, item: Item): void {
    this.#read.set(id, item);
  }

  /** What a write sees. Asking for what nobody read is a bug: "not there" would be a guess. */
  see(id: Id): Item | undefined {
    const item = this.find(id);
    assert(item !== undefined || this.#read.has(id), 'a write sees only what it named in its reads');
    return item;
  }

  find(id: Id): Item | undefined {
    return this.#inHand.get(id) ?? this.#kept.get(id) ?? this.#read.get(id);
  }

  put(id: Id, item: Item): void {
    this.#inHand.set(id, item);
  }

  keep(): void {
    for (const [id, item] of this.#inHand) this.#kept.set(id, item);
    this.#inHand.clear();
  }

  drop(): void {
    this.#inHand.clear();
  }

  /** What was kept and is new to the store. */
  created(): readonly Item[] {
    return [...this.#kept].filter(([id]) => this.#read.get(id) === undefined).map(([, item]) => item);
  }

  /** What was kept and is in the store already, as it was read and as it is to be. */
  updated(): readonly { readonly before: Item; readonly after: Item }[] {
    const updates: { before: Item; after: Item }[] = [];
    for (const [id, after] of this.#kept) {
      const before = this.#read.get(id);
      if (before !== undefined) updates.push({ before, after });
    }
    return updates;
  }
}

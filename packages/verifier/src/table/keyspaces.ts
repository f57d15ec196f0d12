import { assert, type KeyspaceFact, type KeyspaceId, parseId, type WorkspaceId } from '@keyswarm/core';

/** A keyspace as the hot path reads it. Mutable, and the same object for ever, so that a change is one write. */
export interface KeyspaceEntry {
  readonly id: KeyspaceId;
  /** Undefined until the keyspace's fact has come: its keys can't be judged before. */
  workspaceId: WorkspaceId | undefined;
  name: string;
  /**
   * The name by which an access point may ask for it: the name, unless it looks like an id. A keyspace named
   * after another one's id would otherwise answer for it.
   */
  askedAs: string | undefined;
  revision: number;
  leaseMs: number;
  suspended: boolean;
  /** -Infinity: no version was ever cut off. */
  keysNotBeforeMs: number;
  references: number;
}

const keyspacesMax = 2 ** 22;

/** Keyspaces, each once, by index; as with owners, a suspension is one write, and an unseen one may go again. */
export class Keyspaces {
  readonly #indices = new Map<KeyspaceId, number>();
  readonly #entries: KeyspaceEntry[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#indices.size;
  }

  acquire(id: KeyspaceId): number {
    const index = this.#indexOf(id);
    this.entry(index).references += 1;
    return index;
  }

  release(index: number): void {
    const entry = this.entry(index);
    entry.references -= 1;
    if (entry.references > 0 || entry.workspaceId !== undefined) return;
    this.#indices.delete(entry.id);
    this.#free.push(index);
  }

  apply(fact: KeyspaceFact): void {
    const entry = this.entry(this.#indexOf(fact.id));
    if (fact.revision <= entry.revision) return;
    entry.revision = fact.revision;
    entry.workspaceId = fact.workspaceId;
    entry.name = fact.name;
    entry.askedAs = parseId('ks', fact.name) === undefined ? fact.name : undefined;
    entry.leaseMs = fact.leaseMs;
    entry.suspended = fact.state !== 'active';
    entry.keysNotBeforeMs = fact.keysNotBeforeMs ?? Number.NEGATIVE_INFINITY;
  }

  entry(index: number): KeyspaceEntry {
    const entry = this.#entries[index];
    assert(entry !== undefined, 'a record points at a keyspace that is there');
    return entry;
  }

  leaseMsOf(id: KeyspaceId): number | undefined {
    const index = this.#indices.get(id);
    if (index === undefined) return undefined;
    const entry = this.entry(index);
    return entry.workspaceId === undefined ? undefined : entry.leaseMs;
  }

  #indexOf(id: KeyspaceId): number {
    const known = this.#indices.get(id);
    if (known !== undefined) return known;
    const index = this.#free.pop() ?? this.#entries.length;
    if (index >= keyspacesMax) throw new RangeError(`the table holds at most ${keyspacesMax} keyspaces`);
    this.#indices.set(id, index);
    this.#entries[index] = {
      id,
      workspaceId: undefined,
      name: '',
      askedAs: undefined,
      revision: 0,
      leaseMs: 0,
      suspended: true,
      keysNotBeforeMs: Number.POSITIVE_INFINITY,
      references: 0,
    };
    return index;
  }
}

import { assert, type KeyspaceFact, type KeyspaceId, parseId, type WorkspaceId } from '@keyswarm/core';
import {
  changeLease,
  inheritLease,
  type LeaseTerms,
  type LeaseTimes,
  startLease,
} from '../lease/raised-lease.ts';

/** A keyspace as the hot path reads it. Mutable, and the same object for ever, so that a change is one write. */
export interface KeyspaceEntry extends LeaseTerms {
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
  suspended: boolean;
  /** A bare bearer is refused. */
  wantsSignature: boolean;
  /** -Infinity: no version was ever cut off. */
  keysNotBeforeMs: number;
  references: number;
}

export interface LeaseBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

const keyspacesMax = 2 ** 22;

/** Keyspaces, each once, by index; as with owners, a suspension is one write, and an unseen one may go again. */
export class Keyspaces {
  readonly #indices = new Map<KeyspaceId, number>();
  readonly #entries: KeyspaceEntry[] = [];
  readonly #free: number[] = [];
  /** Undefined: a lease has changed since it was reckoned. */
  #leaseBounds: LeaseBounds | undefined;

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

  /** `times` are those of the verifier's lease, for a change of the keyspace's own. */
  apply(fact: KeyspaceFact, times: LeaseTimes): void {
    const entry = this.entry(this.#indexOf(fact.id));
    if (fact.revision <= entry.revision) return;
    this.#leaseBounds = undefined;
    if (entry.revision === 0) startLease(entry, fact.leaseMs, fact.revision, times);
    else changeLease(entry, fact.leaseMs, times);
    entry.revision = fact.revision;
    entry.workspaceId = fact.workspaceId;
    entry.name = fact.name;
    entry.askedAs = parseId('ks', fact.name) === undefined ? fact.name : undefined;
    entry.suspended = fact.state !== 'active';
    entry.wantsSignature = fact.proof === 'signature';
    entry.keysNotBeforeMs = fact.keysNotBeforeMs ?? Number.NEGATIVE_INFINITY;
  }

  /** When this table takes over from another. */
  inheritLeases(from: Keyspaces, times: LeaseTimes): void {
    for (const [id, index] of this.#indices) {
      const indexBefore = from.#indices.get(id);
      if (indexBefore === undefined) continue;
      const entry = this.entry(index);
      const before = from.entry(indexBefore);
      if (entry.revision > 0 && before.revision > 0) inheritLease(entry, before, times);
    }
  }

  /** All there are, those that haven't been heard of included; some may be there no more. */
  *[Symbol.iterator](): Generator<KeyspaceEntry, void, undefined> {
    for (let index = 0; index < this.#entries.length; index += 1) yield this.entry(index);
  }

  entry(index: number): KeyspaceEntry {
    const entry = this.#entries[index];
    assert(entry !== undefined, 'a record points at a keyspace that is there');
    return entry;
  }

  /** As stated: never less than what is in force. */
  leaseMsOf(id: KeyspaceId): number | undefined {
    const index = this.#indices.get(id);
    if (index === undefined) return undefined;
    const entry = this.entry(index);
    return entry.workspaceId === undefined ? undefined : entry.leaseMs;
  }

  /** The smallest and the largest lease as stated; without a keyspace both are 0. For alarms, not for verdicts. */
  leaseBounds(): LeaseBounds {
    if (this.#leaseBounds !== undefined) return this.#leaseBounds;
    let minMs = Number.POSITIVE_INFINITY;
    let maxMs = 0;
    for (const { workspaceId, leaseMs } of this.#entries) {
      if (workspaceId === undefined) continue;
      minMs = Math.min(minMs, leaseMs);
      maxMs = Math.max(maxMs, leaseMs);
    }
    this.#leaseBounds = { minMs: Math.min(minMs, maxMs), maxMs };
    return this.#leaseBounds;
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
      leaseBeforeRaiseMs: 0,
      raisedAtMs: Number.NEGATIVE_INFINITY,
      suspended: true,
      wantsSignature: true,
      keysNotBeforeMs: Number.POSITIVE_INFINITY,
      references: 0,
    };
    return index;
  }
}

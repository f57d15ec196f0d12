import { assert, type KeyFact, type KeyspaceFact, type OwnerFact, type SigningKeyFact } from '@keyswarm/core';
import type { LeaseTimes } from '../lease/raised-lease.ts';
import type { ResidentTable } from '../table/resident-table.ts';
import type { SnapshotLoad } from '../verifier-port.ts';
import { applyFactsOf } from './apply-facts.ts';
import type { FeedStretch, TablePlace } from './feed-source.ts';

/*
 * A table being filled beside the one that serves. What is committed meanwhile reaches the old table only, and
 * the snapshot may have been read before it: swapping would take back a key that its holder has already used. So
 * the stretches that arrive during the load are kept, up to a bound, and replayed on top. Past the bound they are let
 * go, all of them (some would leave a hole); then the new table may be behind the old one, even at the same position
 * (the old one may have been told ahead of it), its lease is dropped, and the follower catches up before anything is
 * VALID again.
 */
export interface LoadingTableOptions {
  readonly table: ResidentTable;
  /** Those of the verifier's lease, for keyspaces whose own lease changes. */
  readonly times: LeaseTimes;
  readonly rowsMax: number;
  readonly whenFinished: (load: LoadingTable, end: TablePlace) => void;
}

export class LoadingTable implements SnapshotLoad {
  readonly table: ResidentTable;
  readonly #times: LeaseTimes;
  readonly #rowsMax: number;
  readonly #whenFinished: (load: LoadingTable, end: TablePlace) => void;
  #stretches: FeedStretch[] = [];
  #rowCount = 0;
  #overflowed = false;
  #done = false;

  constructor({ table, times, rowsMax, whenFinished }: LoadingTableOptions) {
    this.table = table;
    this.#times = times;
    this.#rowsMax = rowsMax;
    this.#whenFinished = whenFinished;
  }

  /** What arrived during the load, in its order of arrival. */
  get stretches(): readonly FeedStretch[] {
    return this.#stretches;
  }

  /** Rows were let go: what the table that served was told is not all here. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  keep(stretch: FeedStretch): void {
    if (this.#overflowed) return;
    this.#rowCount += Math.max(1, stretch.rows.length);
    if (this.#rowCount <= this.#rowsMax) {
      this.#stretches.push(stretch);
    } else {
      this.#overflowed = true;
      this.#stretches = [];
    }
  }

  applyKey(fact: KeyFact): void {
    this.#assertOpen();
    this.table.applyKey(fact);
  }

  applyOwner(fact: OwnerFact): void {
    this.#assertOpen();
    this.table.owners.apply(fact);
  }

  applyKeyspace(fact: KeyspaceFact): void {
    this.#assertOpen();
    this.table.keyspaces.apply(fact, this.#times);
  }

  applySigningKey(fact: SigningKeyFact): void {
    this.#assertOpen();
    this.table.signingKeys.apply(fact);
  }

  applyStretch(stretch: FeedStretch): void {
    this.#assertOpen();
    for (const row of stretch.rows) applyFactsOf(row, this.table, this.#times);
  }

  finish(end: TablePlace): void {
    this.#assertOpen();
    this.#done = true;
    this.#whenFinished(this, end);
  }

  /** Another load was started: this one can't be finished any more. */
  abandon(): void {
    this.#done = true;
    this.#stretches = [];
  }

  #assertOpen(): void {
    assert(!this.#done, 'a snapshot is loaded once, and only until another one is started');
  }
}

import {
  type Answer,
  type FeedRow,
  fingerprintFactBytes,
  type KeyFact,
  type KeyId,
  type KeyspaceFact,
  type KeyspaceId,
  type OwnerFact,
  type SigningKeyFact,
  type SigningKeyId,
  useRepeatMs,
  type WorkspaceId,
} from '@keyswarm/core';
import { type IndexSeed, randomIndexSeed } from './clock/index-seed.ts';
import { applyFactsOf } from './feed/apply-facts.ts';
import type { Fact, FactFilter } from './feed/fact.ts';
import type { FeedStretch, FeedView, TablePlace } from './feed/feed-source.ts';
import { Positions } from './feed/positions.ts';
import { LoadingTable } from './feed/snapshot-load.ts';
import { Lease } from './lease/lease.ts';
import type { SignedRequest } from './signatures/signed-request.ts';
import type { LeaseBounds } from './table/keyspaces.ts';
import { readFacts } from './table/read-facts.ts';
import { ResidentTable } from './table/resident-table.ts';
import { wordsOfBytes } from './table/words.ts';
import type { KeyUse } from './uses/key-use.ts';
import { KeyJudge, stale } from './verdict/judge-key.ts';
import { type MacKeysOf, type NonceLimits, RequestJudge } from './verdict/judge-request.ts';
import type {
  Applied,
  AppliedObserver,
  FoundKey,
  Requirement,
  ResidentVerifier,
  SnapshotLoad,
  VerifierClock,
  VerifierStats,
} from './verifier-port.ts';

/*
 * The data plane: a full replica in memory of what may be presented (`table/`), the judgement on what is presented
 * (`verdict/`), how far the feed has been applied (`feed/`) and for how long that may be relied on (`lease/`).
 * Nothing here does I/O or waits; a follower feeds it, and a verification is one synchronous call.
 *
 * Its states: *not ready* until a first snapshot is finished, when every answer is stale; *ready*, when it serves;
 * and in that, *leased* or not, which decides between VALID and stale and nothing else.
 *
 * Facts come in by two ways. `applyRow` takes the rows of each shard one after another, without a hole, and moves
 * the position. `applyFacts` is the shortcut of the process that has just committed: it may run ahead of the
 * position, never behind it, because a fact from before might bring back a version that has been forgotten since.
 *
 * A snapshot is loaded into a second table while the first one serves, and swapped in within one call, so that no
 * verification sees half of it. If the new table is behind the old one in any shard, the lease goes: what the old
 * table knew had been relied on, and the new one doesn't know it yet. If it is of another view, the lease goes as well,
 * and with it what the old one was told meanwhile: that was cut for a reader who may read something else.
 *
 * What it trades: memory (64 bytes a version and 6 to 8 of index, in every verifier) for a refusal of unknown keys
 * that costs no I/O and can't be used to make anybody else work.
 */

export interface VerifierLimits extends NonceLimits {
  /** Rows kept while a snapshot loads: 65,536 rows of some 700 bytes are 46 MB, and minutes of a busy feed. */
  readonly rowsDuringLoadMax?: number | undefined;
  /** By how much wall and monotonic clock may disagree between two renewals before the lease is dropped. */
  readonly clockJumpMsMax?: number | undefined;
}

export interface ResidentVerifierOptions {
  readonly clock: VerifierClock;
  /** Shards that `applied()` tells of before the first snapshot; the snapshot says how many there are. */
  readonly shards?: number | undefined;
  readonly limits?: VerifierLimits | undefined;
  /** What scatters the index: eight secret numbers of 16 bits. Absent: drawn by chance, as it should be. */
  readonly indexSeed?: IndexSeed | undefined;
  readonly observer?: AppliedObserver | undefined;
  /** Opens the secrets with which keys sign that have no public key; absent: what they sign is `stale`. */
  readonly macKeysOf?: MacKeysOf | undefined;
}

export function createResidentVerifier(options: ResidentVerifierOptions): ResidentVerifier {
  return new TableVerifier(options);
}

const shardsDefault = 16;
const notReady: FoundKey = Object.freeze({ answer: stale, held: null });
const noShards: readonly number[] = Object.freeze([]);
const rowsDuringLoadMaxDefault = 65_536;
/** Well above what slewing a clock (0.05 %) adds up to in a minute, well below what a suspended machine misses. */
const clockJumpMsMaxDefault = 500;
/** About a millisecond's worth. */
const recordsSettledPerRenewal = 16_384;

class TableVerifier implements ResidentVerifier {
  readonly #clock: VerifierClock;
  readonly #seed: IndexSeed;
  readonly #rowsDuringLoadMax: number;
  readonly #lease: Lease;
  readonly #judge: KeyJudge;
  readonly #requestJudge: RequestJudge;
  #table: ResidentTable;
  #positions: Positions;
  #view: FeedView;
  #ready = false;
  #loading: LoadingTable | undefined;
  readonly #observer: AppliedObserver | undefined;

  constructor(options: ResidentVerifierOptions) {
    const { clock, shards = shardsDefault, limits = {}, indexSeed, observer } = options;
    this.#clock = clock;
    this.#observer = observer;
    this.#seed = indexSeed ?? randomIndexSeed();
    this.#rowsDuringLoadMax = limits.rowsDuringLoadMax ?? rowsDuringLoadMaxDefault;
    this.#lease = new Lease(clock, limits.clockJumpMsMax ?? clockJumpMsMaxDefault);
    this.#judge = new KeyJudge(clock, this.#lease, () => this.#positions.count);
    this.#requestJudge = new RequestJudge(clock, this.#judge, options.macKeysOf, limits);
    this.#table = new ResidentTable(this.#seed);
    this.#positions = new Positions({ epoch: 0, seqs: Array.from({ length: shards }, () => 0) });
  }

  verify(key: string, requirement: Requirement): Answer {
    return this.#ready ? this.#judge.verify(this.#table, key, requirement) : stale;
  }

  verifyRequest(request: SignedRequest, requirement: Requirement): Answer {
    return this.#ready ? this.#requestJudge.verify(this.#table, request, requirement) : stale;
  }

  verifySigner(signingKeyId: string, requirement: Requirement): Answer {
    return this.#ready ? this.#requestJudge.verifySigner(this.#table, signingKeyId, requirement) : stale;
  }

  isSignedIn(request: SignedRequest, keyspaceName: string): boolean {
    return this.#requestJudge.isSignedIn(this.#table, request, keyspaceName);
  }

  find(key: string): FoundKey {
    return this.#ready ? this.#judge.find(this.#table, key) : notReady;
  }

  get ready(): boolean {
    return this.#ready;
  }

  applyKey(fact: KeyFact): void {
    this.#table.applyKey(fact);
  }

  applyOwner(fact: OwnerFact): void {
    this.#table.owners.apply(fact);
  }

  applyKeyspace(fact: KeyspaceFact): void {
    this.#table.keyspaces.apply(fact, this.#lease);
  }

  applySigningKey(fact: SigningKeyFact): void {
    this.#table.signingKeys.apply(fact);
  }

  applyRow(row: FeedRow): boolean {
    return this.applyStretch(stretchOf(row)) === 'applied';
  }

  applyStretch(stretch: FeedStretch): 'applied' | 'known' | 'ahead' | 'elsewhere' {
    if (!this.#ready) return 'elsewhere';
    const place = this.#positions.placeOf(stretch);
    if (place !== 'next') return place;
    const fresh = this.#positions.freshPartOf(stretch);
    for (const row of fresh.rows) applyFactsOf(row, this.#table, this.#lease);
    this.#positions.advance(fresh);
    this.#loading?.keep(fresh);
    this.#observer?.applied(fresh);
    return 'applied';
  }

  applyFacts(row: FeedRow): void {
    if (this.#ready && this.#positions.isAhead(row)) applyFactsOf(row, this.#table, this.#lease);
    this.#loading?.keep(stretchOf(row));
  }

  startSnapshot(): SnapshotLoad {
    this.#loading?.abandon();
    const load = new LoadingTable({
      table: new ResidentTable(this.#seed),
      times: this.#lease,
      rowsMax: this.#rowsDuringLoadMax,
      whenFinished: (done, end) => this.#swap(done, end),
    });
    this.#loading = load;
    return load;
  }

  applied(): Applied {
    return this.#positions.snapshot();
  }

  get view(): FeedView {
    return this.#view;
  }

  renewLease(p0MonotonicMs: number, behind: readonly number[] = noShards): void {
    this.#lease.renew(p0MonotonicMs, behind);
    // Comes four times a second, busy or not: the tick on which a table at rest finishes growing.
    this.#table.index.settle(recordsSettledPerRenewal);
  }

  get quarantined(): readonly number[] {
    return this.#lease.quarantined;
  }

  knowsFingerprint(fingerprint: Uint8Array, workspaceId: WorkspaceId): boolean {
    return this.#table.knowsFingerprint(
      wordsOfBytes(fingerprint.subarray(0, fingerprintFactBytes)),
      workspaceId,
    );
  }

  lastGraceUseMs(id: KeyId): number | null {
    return this.#table.lastGraceUseMs(id);
  }

  takeUses(countMax: number): readonly KeyUse[] {
    return this.#table.takeUses(countMax, this.#clock.monotonicMs(), useRepeatMs);
  }

  facts(filter: FactFilter = {}): Iterable<Fact> {
    return readFacts(this.#table, filter);
  }

  leaseMsOf(id: KeyspaceId): number | undefined {
    return this.#table.keyspaces.leaseMsOf(id);
  }

  leaseBounds(): LeaseBounds {
    return this.#table.keyspaces.leaseBounds();
  }

  signingKeys(): Iterable<SigningKeyFact> {
    return this.#table.signingKeys.facts();
  }

  signingKey(id: SigningKeyId): SigningKeyFact | undefined {
    const fact = this.#table.signingKeys.find(id)?.fact;
    return fact?.state === 'removed' ? undefined : fact;
  }

  stats(): VerifierStats {
    const table = this.#table;
    return {
      versions: table.records.live,
      owners: table.owners.size,
      keyspaces: table.keyspaces.size,
      scopeSets: table.scopeSets.size,
      tableBytes: table.bytes,
      noncesRemembered: this.#requestJudge.noncesRemembered,
      leaseAgeMs: this.#lease.ageMs,
    };
  }

  #swap(load: LoadingTable, { view, ...applied }: TablePlace): void {
    const { table } = load;
    const positions = new Positions(applied);
    const isOfSameView = !this.#ready || view === this.#view;
    for (const stretch of isOfSameView ? load.stretches : []) {
      for (const row of stretch.rows) if (positions.isAhead(row)) applyFactsOf(row, table, this.#lease);
      if (positions.placeOf(stretch) === 'next') positions.advance(stretch);
    }
    table.adoptGraceUses(this.#table);
    table.keyspaces.inheritLeases(this.#table.keyspaces, this.#lease);
    if (!this.#ready) this.#lease.drop();
    else if (load.overflowed || !isOfSameView || !positions.covers(this.#positions))
      this.#lease.dropAsOfNow();
    this.#table = table;
    this.#view = view;
    this.#positions = positions;
    this.#ready = true;
    this.#loading = undefined;
    this.#observer?.reloaded(positions.snapshot());
  }
}

function stretchOf(row: FeedRow): FeedStretch {
  return { epoch: row.epoch, shard: row.shard, after: row.seq - 1, upTo: row.seq, rows: [row] };
}

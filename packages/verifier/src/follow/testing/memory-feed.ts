import type { FeedRow, KeyFact, KeyspaceFact, OwnerFact } from '@keyswarm/core';
import type {
  FeedListener,
  FeedSource,
  FeedStretch,
  Heads,
  LeaseAnswer,
  RowRange,
  SnapshotEnd,
  SnapshotSink,
} from '../../feed/feed-source.ts';
import { BadFeedRow } from '../bad-feed-row.ts';

type Facts = Pick<FeedRow, 'key' | 'owner' | 'keyspace'>;

/** A feed in memory, with the faults that a store can have at the reader's end of it. */
export class MemoryFeed implements FeedSource {
  epoch = 1;
  readonly #rows: FeedRow[][];
  /** Of each shard, the last row that retention has dropped. */
  readonly #dropped: number[];
  readonly #unreadable = new Set<string>();
  readonly keys = new Map<string, KeyFact>();
  readonly owners = new Map<string, OwnerFact>();
  readonly keyspaces = new Map<string, KeyspaceFact>();
  /** Awaited by every call before it answers: a test makes it fail or wait. */
  before: (call: 'heads' | 'rows' | 'snapshot') => Promise<void> = async () => {};
  readonly calls = { heads: 0, rows: 0, snapshot: 0 };

  constructor(shards: number) {
    this.#rows = Array.from({ length: shards }, () => []);
    this.#dropped = Array.from({ length: shards }, () => 0);
  }

  commit(shard: number, draft: Omit<FeedRow, 'epoch' | 'shard' | 'seq'>): FeedRow {
    const rows = this.#rowsOf(shard);
    const row = { ...draft, epoch: this.epoch, shard, seq: rows.length + 1 };
    rows.push(row);
    this.#keep(row);
    return row;
  }

  drop(shard: number): void {
    this.#dropped[shard] = this.#rowsOf(shard).length;
  }

  /** As a restore does it: the last rows of a shard have never been. */
  cutBack(shard: number, count: number): void {
    this.#rowsOf(shard).splice(-count);
  }

  spoil(row: FeedRow, spoilt: boolean): void {
    if (spoilt) this.#unreadable.add(`${row.shard}/${row.seq}`);
    else this.#unreadable.delete(`${row.shard}/${row.seq}`);
  }

  /** Of whoever reads: told with every answer and snapshot. */
  view: string | undefined;
  /** Of each read of rows. */
  readonly viewsAsked: (string | undefined)[] = [];

  /** What the next lease answers say beside the heads. */
  answer: Partial<LeaseAnswer> = {};
  listener: FeedListener | undefined;

  async lease(): Promise<LeaseAnswer> {
    this.calls.heads += 1;
    await this.before('heads');
    return { ...this.heads(), ageMs: 0, fromPrimary: true, behind: [], view: this.view, ...this.answer };
  }

  heads(): Heads {
    return this.#heads();
  }

  async rows(shard: number, range: RowRange): Promise<FeedStretch | 'gone'> {
    this.calls.rows += 1;
    this.viewsAsked.push(range.view);
    await this.before('rows');
    if (range.after < (this.#dropped[shard] ?? 0)) return 'gone';
    const rows = this.#rowsOf(shard).slice(range.after, Math.min(range.upTo, range.after + range.limit));
    const bad = rows.findIndex((row) => this.#unreadable.has(`${row.shard}/${row.seq}`));
    if (bad === 0) throw new BadFeedRow(shard, range.after + 1, 'spoilt');
    const given = bad < 0 ? rows : rows.slice(0, bad);
    const { after } = range;
    const epoch = given[0]?.epoch ?? this.epoch;
    return { epoch, shard, after, upTo: after + given.length, rows: given };
  }

  async snapshot(sink: SnapshotSink): Promise<SnapshotEnd> {
    this.calls.snapshot += 1;
    const heads = { ...this.#heads(), view: this.view };
    const facts = [[...this.keyspaces.values()], [...this.owners.values()], [...this.keys.values()]] as const;
    await this.before('snapshot');
    for (const fact of facts[0]) sink.keyspace(fact);
    for (const fact of facts[1]) sink.owner(fact);
    for (const fact of facts[2]) sink.key(fact);
    return { ...heads, ageMs: 0 };
  }

  #heads(): Heads {
    return { epoch: this.epoch, seqs: this.#rows.map((rows) => rows.length) };
  }

  #keep({ key, owner, keyspace }: Facts): void {
    keepNewer(this.keyspaces, keyspace);
    keepNewer(this.owners, owner);
    keepNewer(this.keys, key);
  }

  #rowsOf(shard: number): FeedRow[] {
    const rows = this.#rows[shard];
    if (rows === undefined) throw new RangeError(`there is no shard ${shard}`);
    return rows;
  }
}

function keepNewer<Fact extends { readonly id: string; readonly revision: number }>(
  facts: Map<string, Fact>,
  fact: Fact | null,
): void {
  if (fact !== null && fact.revision > (facts.get(fact.id)?.revision ?? 0)) facts.set(fact.id, fact);
}

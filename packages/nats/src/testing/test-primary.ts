import {
  type FeedRow,
  idFromUuidBytes,
  type KeyFact,
  type KeyspaceFact,
  mintKeyString,
  type OwnerFact,
} from '@keyswarm/core';
import {
  type FeedSource,
  type FeedStretch,
  fingerprintOf,
  type Heads,
  type LeaseAnswer,
  type RowRange,
  type SnapshotSink,
  systemVerifierClock,
} from '@keyswarm/verifier';
import { systemRandom } from '@keyswarm/verifier/random';

export interface TestKey {
  readonly text: string;
  readonly shard: number;
  fact: KeyFact;
}

/**
 * A primary in memory: what a store keeps and a relay gives, so that these tests have the broker real and nothing
 * else in between. A commit is acknowledged when the call returns.
 */
export class TestPrimary implements FeedSource {
  readonly shards = 4;
  readonly epoch = 1;
  readonly workspaceId = idFromUuidBytes('ws', systemRandom.bytes(16));
  readonly keyspace = this.newKeyspace('orders_live');
  readonly owner: OwnerFact = {
    id: idFromUuidBytes('own', systemRandom.bytes(16)),
    revision: 1,
    kind: 'service',
    externalId: 'billing',
    state: 'active',
    keysNotBeforeMs: null,
  };
  readonly calls = { lease: 0, rows: 0, snapshot: 0 };
  /** Told of each commit, as a server tells its publisher. */
  onCommitted: (stretch: FeedStretch) => void = () => {};
  readonly #rows: FeedRow[][] = Array.from({ length: this.shards }, () => []);
  readonly #keys = new Map<string, KeyFact>();
  readonly #keyspaces = new Map([[this.keyspace.id, this.keyspace]]);

  newKeyspace(name: string, leaseMs = 2_000): KeyspaceFact {
    return {
      id: idFromUuidBytes('ks', systemRandom.bytes(16)),
      workspaceId: this.workspaceId,
      revision: 1,
      name,
      state: 'active',
      leaseMs,
      keysNotBeforeMs: null,
    };
  }

  heads(): Heads {
    return { epoch: this.epoch, seqs: this.#rows.map((rows) => rows.length) };
  }

  issue(keyspace = this.keyspace): TestKey {
    const text = mintKeyString('orders_live', (count) => systemRandom.bytes(count));
    const [byte = 0] = systemRandom.bytes(1);
    const fact: KeyFact = {
      id: idFromUuidBytes('key', systemRandom.bytes(16)),
      revision: 1,
      keyspaceId: keyspace.id,
      ownerId: this.owner.id,
      scopes: ['orders:read'],
      state: 'active',
      notBeforeMs: null,
      expiresAtMs: null,
      versions: [
        {
          number: 1,
          fingerprint: fingerprintOf(text).slice(0, 16),
          state: 'active',
          mintedAtMs: 1_600_000_000_000,
          retiresAtMs: null,
        },
      ],
    };
    this.#keyspaces.set(keyspace.id, keyspace);
    const key: TestKey = { text, shard: byte % this.shards, fact };
    this.#commit(key, 'key.issued');
    return key;
  }

  revoke(key: TestKey): void {
    key.fact = { ...key.fact, state: 'revoked', revision: key.fact.revision + 1 };
    this.#commit(key, 'key.revoked');
  }

  async lease(): Promise<LeaseAnswer> {
    this.calls.lease += 1;
    const wallMs = systemVerifierClock().wallMs();
    const wall = { earliestMs: wallMs, latestMs: wallMs + 1 };
    return { ...this.heads(), ageMs: 0, fromPrimary: true, behind: [], wall };
  }

  async rows(shard: number, { after, upTo, limit }: RowRange): Promise<FeedStretch | 'gone'> {
    this.calls.rows += 1;
    const rows = (this.#rows[shard] ?? []).slice(after, Math.min(upTo, after + limit));
    return { epoch: this.epoch, shard, after, upTo: after + rows.length, rows };
  }

  async snapshot(sink: SnapshotSink): Promise<Heads & { readonly ageMs: number }> {
    this.calls.snapshot += 1;
    const heads = this.heads();
    for (const fact of this.#keyspaces.values()) sink.keyspace(fact);
    sink.owner(this.owner);
    for (const fact of this.#keys.values()) sink.key(fact);
    return { ...heads, ageMs: 0 };
  }

  #commit({ fact, shard }: TestKey, type: 'key.issued' | 'key.revoked'): void {
    const rows = this.#rows[shard] ?? [];
    const row: FeedRow = {
      epoch: this.epoch,
      shard,
      seq: rows.length + 1,
      type,
      subject: fact.id,
      atMs: 1_700_000_000_000,
      workspaceId: this.workspaceId,
      key: fact,
      owner: this.owner,
      keyspace: this.#keyspaces.get(fact.keyspaceId) ?? null,
      data: {},
    };
    rows.push(row);
    this.#keys.set(fact.id, fact);
    this.onCommitted({ epoch: this.epoch, shard, after: row.seq - 1, upTo: row.seq, rows: [row] });
  }
}

import type { FeedRow, KeyspaceFact, KeyspaceId, WorkspaceId } from '@keyswarm/core';
import type { FeedStretch, SnapshotSink } from '@keyswarm/verifier';
import { keyspacesKnownMax, withheldMax } from './limits.ts';

/*
 * A broker's credential gives the whole feed, the verifier's own credential maybe one keyspace of it. What it may
 * read is decided by the relay it has that credential for, and learnt from it here:
 *
 *   - a keyspace in a snapshot or in rows that the relay sent may be read;
 *   - a pushed stretch with a keyspace that isn't known yet is withheld. The verifier then reads those rows from
 *     the relay, as it does with any hole: if they come with that keyspace, it may be read; if the relay has left
 *     them out, it may not, and from then on rows of it are left out here.
 *
 * So nothing reaches a verifier by way of the broker that the relay would not send it.
 */
export class KnownKeyspaces {
  readonly #readable = new Map<KeyspaceId, boolean>();
  readonly #workspaces = new Set<WorkspaceId>();
  readonly #withheld = new Map<KeyspaceId, FeedRow>();

  /** The sink of a snapshot, with an ear on it. */
  heardIn(sink: SnapshotSink): SnapshotSink {
    return {
      key: (fact) => sink.key(fact),
      owner: (fact) => sink.owner(fact),
      keyspace: (fact) => {
        this.#learn(fact);
        sink.keyspace(fact);
      },
      signingKey: (fact) => sink.signingKey(fact),
      stretch: (stretch) => {
        this.heard(stretch);
        sink.stretch(stretch);
      },
    };
  }

  /** Rows that the relay has sent: every row of the range that may be read. */
  heard(stretch: FeedStretch): void {
    for (const { keyspace } of stretch.rows) if (keyspace !== null) this.#learn(keyspace);
    if (this.#withheld.size === 0) return;
    const sent = new Set(stretch.rows.map(({ seq }) => seq));
    for (const [id, row] of this.#withheld) {
      if (!covers(stretch, row)) continue;
      this.#withheld.delete(id);
      if (!sent.has(row.seq)) this.#note(id, false);
    }
  }

  /** What of a pushed stretch may be handed on; undefined while that can't be said. */
  admitted(stretch: FeedStretch): FeedStretch | undefined {
    const unknown = stretch.rows.filter(
      ({ keyspace }) => keyspace !== null && !this.#readable.has(keyspace.id),
    );
    for (const row of unknown) this.#withhold(row);
    if (unknown.length > 0) return undefined;
    return { ...stretch, rows: stretch.rows.filter((row) => this.#isReadable(row)) };
  }

  /** The same, cut before the first row of which that can't be said; undefined when that is the very first. */
  admittedStart(stretch: FeedStretch): FeedStretch | undefined {
    const unknown = stretch.rows.find(
      ({ keyspace }) => keyspace !== null && !this.#readable.has(keyspace.id),
    );
    if (unknown === undefined) return this.admitted(stretch);
    const upTo = unknown.seq - 1;
    if (upTo <= stretch.after) return undefined;
    return this.admitted({ ...stretch, upTo, rows: stretch.rows.filter(({ seq }) => seq <= upTo) });
  }

  #isReadable({ keyspace, workspaceId }: FeedRow): boolean {
    if (keyspace === null) return this.#workspaces.has(workspaceId);
    return this.#readable.get(keyspace.id) === true;
  }

  #withhold(row: FeedRow): void {
    const { keyspace } = row;
    if (keyspace === null || this.#withheld.has(keyspace.id)) return;
    if (this.#withheld.size >= withheldMax) this.#withheld.clear();
    this.#withheld.set(keyspace.id, row);
  }

  #learn({ id, workspaceId }: KeyspaceFact): void {
    this.#workspaces.add(workspaceId);
    this.#note(id, true);
  }

  #note(id: KeyspaceId, isReadable: boolean): void {
    if (!this.#readable.has(id) && this.#readable.size >= keyspacesKnownMax) {
      const [oldest] = this.#readable.keys();
      if (oldest !== undefined) this.#readable.delete(oldest);
    }
    this.#readable.set(id, isReadable);
  }
}

function covers({ epoch, shard, after, upTo }: FeedStretch, row: FeedRow): boolean {
  return row.epoch === epoch && row.shard === shard && row.seq > after && row.seq <= upTo;
}

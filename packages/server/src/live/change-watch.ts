import type { LiveEnding } from '@keyswarm/contract';
import { effectiveByMs, type FeedRow, type WorkspaceId } from '@keyswarm/core';
import type { FeedStretch, Heads, RollEntry, RollReport } from '@keyswarm/verifier';
import {
  liveEndingsKept,
  liveEndingWatchMs,
  liveFollowPauseMs,
  liveVerifiersTracked,
  liveWantPauseMsMax,
} from '../limits.ts';

/*
 * What changes in the workspaces that are watched, as the feed tells it: whichever server wrote it, and in bulk or
 * one by one. Of a workspace that nobody watches nothing is kept, and a row of it costs one look-up.
 *
 * A revocation is followed until every verifier that asks here has told that it has applied it. The time runs from
 * when this server knew (which is before it was acknowledged) until the verifier's word came back, so that it is
 * never too short. Verifiers are asked to tell, but seldom enough that it costs a large fleet little; then it is the
 * quarter of a second between two of their asks that is measured.
 */

export interface ChangeWatchOptions {
  readonly clock: { nowMs(): number; monotonicMs(): number };
  readonly roll: () => Iterable<RollEntry>;
  /** Has every verifier that follows this server tell where it stands. */
  readonly want: () => void;
}

interface Followed {
  readonly row: FeedRow;
  readonly sinceMs: number;
  readonly expected: ReadonlySet<string>;
  readonly reached: Map<string, { readonly name: string; readonly afterMs: number }>;
}

interface Watched {
  readonly counts: Map<string, number>;
  readonly followed: Followed[];
}

/** What takes an access away. */
const endings: ReadonlySet<string> = new Set([
  'key.revoked',
  'key.suspended',
  'owner.suspended',
  'owner.keys_revoked',
  'keyspace.suspended',
  'keyspace.keys_revoked',
]);

export class ChangeWatch {
  readonly #options: ChangeWatchOptions;
  readonly #watched = new Map<WorkspaceId, Watched>();
  #wantedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ChangeWatchOptions) {
    this.#options = options;
  }

  watch(workspaceId: WorkspaceId): void {
    if (!this.#watched.has(workspaceId)) this.#watched.set(workspaceId, { counts: new Map(), followed: [] });
  }

  forget(workspaceId: WorkspaceId): void {
    this.#watched.delete(workspaceId);
  }

  applied({ rows }: FeedStretch): void {
    if (this.#watched.size === 0) return;
    for (const row of rows) {
      const watched = this.#watched.get(row.workspaceId);
      if (watched === undefined) continue;
      watched.counts.set(row.type, (watched.counts.get(row.type) ?? 0) + 1);
      if (endings.has(row.type)) this.#follow(watched, row);
    }
  }

  /** A verifier has told where it stands. */
  reported(entry: RollEntry): void {
    const { workspaceId } = entry.owner;
    const watched = workspaceId === undefined ? undefined : this.#watched.get(workspaceId);
    if (watched === undefined) return;
    const nowMs = this.#options.clock.monotonicMs();
    for (const one of watched.followed) {
      if (nowMs - one.sinceMs > liveEndingWatchMs) continue;
      for (const report of [entry.report, ...entry.downstream]) this.#note(one, report, nowMs);
    }
  }

  /** Changes by type since the watch began. */
  counts(workspaceId: WorkspaceId): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#watched.get(workspaceId)?.counts ?? []);
  }

  /** The newest first. `leaseMsMax`: the longest of the workspace, for what is not of one keyspace. */
  endings(workspaceId: WorkspaceId, leaseMsMax: number): readonly LiveEnding[] {
    const followed = this.#watched.get(workspaceId)?.followed ?? [];
    return followed.map(({ row, expected, reached }) => ({
      type: row.type,
      subject: row.subject,
      at: new Date(row.atMs).toISOString(),
      bound_ms: effectiveByMs(0, row.keyspace?.leaseMs ?? leaseMsMax),
      expected: expected.size,
      reached: [...reached].map(([id, { name, afterMs }]) => ({
        verifier_id: id,
        name,
        after_ms: Math.round(afterMs * 10) / 10,
      })),
    }));
  }

  /** Of a bulk of them a few are followed: each looks through the roll. */
  #follow(watched: Watched, row: FeedRow): void {
    const { clock, roll } = this.#options;
    const sinceMs = clock.monotonicMs();
    if (sinceMs - (watched.followed[0]?.sinceMs ?? Number.NEGATIVE_INFINITY) < liveFollowPauseMs) return;
    const expected = new Set<string>();
    let verifiers = 0;
    for (const { owner, report, downstream } of roll()) {
      if (owner.workspaceId !== row.workspaceId) continue;
      for (const one of [report, ...downstream]) {
        verifiers += 1;
        if (expected.size < liveVerifiersTracked && one.leaseAgeMs !== undefined) expected.add(one.id);
      }
    }
    watched.followed.unshift({ row, sinceMs, expected, reached: new Map() });
    watched.followed.splice(liveEndingsKept);
    // One ask a millisecond in all, on average, however many they are.
    if (verifiers > 0 && sinceMs - this.#wantedAtMs > Math.min(verifiers, liveWantPauseMsMax)) {
      this.#wantedAtMs = sinceMs;
      this.#options.want();
    }
  }

  #note(
    { row, sinceMs, expected, reached }: Followed,
    { id, name, applied }: RollReport,
    nowMs: number,
  ): void {
    if (!expected.has(id) || reached.has(id) || !knows(applied, row)) return;
    reached.set(id, { name, afterMs: nowMs - sinceMs });
  }
}

function knows(heads: Heads | undefined, { epoch, shard, seq }: FeedRow): boolean {
  if (heads === undefined || heads.epoch < epoch) return false;
  return heads.epoch > epoch || (heads.seqs[shard] ?? 0) >= seq;
}

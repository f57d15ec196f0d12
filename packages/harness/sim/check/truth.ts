import { effectiveByMs } from '@keyswarm/core';
import type {
  KeyRow,
  KeyspaceRow,
  OwnerRow,
  VersionRow,
} from '@keyswarm/server/rooms/storage/statements/record-rows';
import type { Engine } from '../store/engine.ts';
import type { Commit } from '../store/sim-transaction.ts';
import type { AuditRow, InShard } from '../store/tables.ts';
import { History } from './history.ts';

export interface KeyTruth {
  readonly key: InShard<KeyRow>;
  readonly versions: readonly VersionRow[];
}

export interface AuditTruth {
  readonly shard: number;
  readonly seq: number;
  readonly epoch: number;
  readonly event: string;
  readonly revision: number;
  readonly subject: string;
  readonly requestId: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

/**
 * What is true, and since when: read off the commits of the store, as they take effect, by nobody that the product knows
 * of. All that a verifier says is compared with this.
 */
export class Truth {
  readonly keys = new Map<string, History<KeyTruth>>();
  readonly owners = new Map<string, History<OwnerRow>>();
  readonly keyspaces = new Map<string, History<KeyspaceRow>>();
  readonly audits: AuditTruth[] = [];
  readonly auditsOfRequest = new Map<string, AuditTruth[]>();
  readonly auditAt = new Map<string, AuditTruth>();
  readonly #engine: Engine;
  readonly #onCommit: (commit: Commit, audits: readonly AuditTruth[]) => void;

  constructor(engine: Engine, onCommit: (commit: Commit, audits: readonly AuditTruth[]) => void) {
    this.#engine = engine;
    this.#onCommit = onCommit;
    engine.onCommit((commit) => this.#note(commit));
  }

  /** Until when a verifier may go by what was before a commit: the lease as it was then, or a longer one from before. */
  livesUntilMs(keyspaceId: string, commitMs: number): number {
    const [moment] = this.keyspaces.get(keyspaceId)?.between(commitMs, commitMs) ?? [];
    if (moment === undefined) return commitMs;
    const { lease_seconds: lease, former_lease_until: former } = moment.state;
    const formerMs = former === null ? 0 : former + 1 - this.wallAheadMs;
    return Math.max(effectiveByMs(commitMs, lease * 1000), formerMs) + 1;
  }

  /** By how much the store's wall clock is ahead of the time of the simulation. */
  get wallAheadMs(): number {
    return this.#engine.wallAheadMs;
  }

  #note(commit: Commit): void {
    const { tables } = this.#engine;
    const keys = new Set<string>();
    const audits: AuditTruth[] = [];
    for (const { table, name, row } of commit.writes) {
      if (table === tables.keys || table === tables.versions) keys.add(name);
      else if (table === tables.owners && row !== undefined)
        historyOf(this.owners, (row as OwnerRow).id).add(commit.atMs, row as OwnerRow);
      else if (table === tables.keyspaces && row !== undefined)
        historyOf(this.keyspaces, (row as KeyspaceRow).id).add(commit.atMs, row as KeyspaceRow);
      else if (table === tables.audit && row !== undefined) {
        audits.push(auditOf(row as AuditRow, commit.atMs));
      }
    }
    for (const name of keys) {
      const key = tables.keys.rows.get(name);
      const versions = tables.versions.rows.get(name);
      if (key !== undefined && versions !== undefined)
        historyOf(this.keys, key.id).add(commit.atMs, { key, versions });
    }
    for (const audit of audits) {
      this.audits.push(audit);
      this.auditAt.set(`${audit.shard}/${audit.seq}`, audit);
      const known = this.auditsOfRequest.get(audit.requestId) ?? [];
      known.push(audit);
      this.auditsOfRequest.set(audit.requestId, known);
    }
    this.#onCommit(commit, audits);
  }
}

function historyOf<State>(histories: Map<string, History<State>>, id: string): History<State> {
  const known = histories.get(id) ?? new History<State>();
  histories.set(id, known);
  return known;
}

function auditOf(row: AuditRow, atMs: number): AuditTruth {
  const body = JSON.parse(row.body) as {
    epoch: number;
    event: string;
    revision: number;
    subject: string;
    data: Readonly<Record<string, unknown>>;
    actor: { request_id: string };
  };
  return {
    shard: row.shard,
    seq: row.seq,
    epoch: body.epoch,
    event: body.event,
    revision: body.revision,
    subject: body.subject,
    requestId: body.actor.request_id,
    data: body.data,
    atMs,
  };
}

import type { KeyspaceId, WorkspaceId } from '@keyswarm/core';
import type { Lease, Leases, Reader } from '../storage/reader-port.ts';

/*
 * The leases as they are after a change was committed, each asked of the store after that. The resident table would
 * be cheaper and is wrong: a lease that another process has just raised may not have been heard of here, while the
 * verifiers that have heard run on it.
 *
 * Asking once a change would undo group commit, where five hundred rotations are one transaction. So askers share:
 * whoever comes while a round is under way joins the next one, which begins after they came.
 */

export interface LeaseNow {
  /** The store's clock when the lease was read; undefined where there is no such keyspace or workspace. */
  readonly nowMs: number;
  readonly lease: Lease | undefined;
}

interface Round {
  readonly keyspaces: Set<KeyspaceId>;
  readonly workspaces: Set<WorkspaceId>;
  readonly leases: Promise<Leases>;
  readonly settle: (leases: Leases | Promise<Leases>) => void;
}

export class LeaseReads {
  readonly #reader: Pick<Reader, 'leases'>;
  #next: Round | undefined;
  #running = false;

  constructor(reader: Pick<Reader, 'leases'>) {
    this.#reader = reader;
  }

  /** Rejects as the store does. */
  async ofKeyspace(id: KeyspaceId): Promise<LeaseNow> {
    const round = this.#join();
    round.keyspaces.add(id);
    const { nowMs, keyspaces } = await round.leases;
    return { nowMs, lease: keyspaces.get(id) };
  }

  /** The longest of all its keyspaces. Rejects as the store does. */
  async ofWorkspace(id: WorkspaceId): Promise<LeaseNow> {
    const round = this.#join();
    round.workspaces.add(id);
    const { nowMs, workspaces } = await round.leases;
    return { nowMs, lease: workspaces.get(id) };
  }

  #join(): Round {
    if (this.#next !== undefined) return this.#next;
    const { promise, resolve } = Promise.withResolvers<Leases>();
    const round = {
      keyspaces: new Set<KeyspaceId>(),
      workspaces: new Set<WorkspaceId>(),
      leases: promise,
      settle: resolve,
    };
    this.#next = round;
    if (!this.#running) {
      this.#running = true;
      // The changes of one batch are told of in the same turn of the event loop, and share the first round, too.
      setImmediate(() => void this.#drain());
    }
    return round;
  }

  async #drain(): Promise<void> {
    for (let round = this.#next; round !== undefined; round = this.#next) {
      this.#next = undefined;
      const asked = this.#reader.leases({
        keyspaces: [...round.keyspaces],
        workspaces: [...round.workspaces],
      });
      round.settle(asked);
      await asked.catch(() => undefined);
    }
    this.#running = false;
  }
}

import { Fault, type KeyId, type KeyspaceId, uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Heads, Reach } from '@keyswarm/verifier';
import { LeaseRoll, type RollEntry, type RollOwner, type RollReport, standsAt } from '@keyswarm/verifier';
import {
  registrationMsMax,
  registrationWaitMsMax,
  registryDoubtMs,
  registryFlushMs,
  registryKeptMs,
  registryRefreshMs,
  registryRefreshRowsMax,
  registryRowsMax,
  registrySweepMs,
  registryWantedFlushMs,
  staleRetryAfterMs,
} from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import { readRegistry } from '../storage/statements/read-registry.ts';
import { sweepRegistry, type VerifierRow, writeRegistry } from '../storage/statements/write-registry.ts';
import type { Store } from '../storage/store.ts';
import { type RegistryReading, readingOf } from './registry-reading.ts';

/*
 * The roll of this process, kept in the store, so that whoever waits for a change at another server knows of every
 * verifier that may hold a lease (SPEC.md, rules 11 and 12).
 *
 * Before the heads are read for an ask, its asker is durable, and so is an instant of the primary's clock that is not
 * older than a second, counted from before it was written. Both are one write for all: a verifier has a row that says
 * that it is active, and the row of its relay, renewed about once a second, says until when that was so. A verifier
 * that has gone silent is written once more, with how long it has been; when it asks again it waits until it is active.
 *
 * What the relay's row says of positions is the least of all its active verifiers, by workspace: one small row tells
 * the other servers of a thousand verifiers that they know a change. Others take an active row by that least alone, so:
 *
 *   In the store, every row that says active is of a verifier that the least in the relay's row counts.
 *
 * A row also says of which keyspaces its verifier may accept keys, so that others need not care for its silence elsewhere.
 * Who may read more than its row says waits for a write as one that is not registered.
 *
 * - A write is one transaction: the relay's row, and each row that isn't surely what it should be. Its least is of the
 *   verifiers that are active at the one instant for which its rows were made.
 * - `#written` is what a write *acknowledged*. A row that is on its way to another state is struck off it first: until
 *   an acknowledgement comes, the store may say the one or the other, so that the row is in every write that follows,
 *   and its verifier, should it ask again, waits for one. A write of unknown outcome is over before the next one's
 *   rows are taken: its statement has locked the relay's row, or is never committed.
 * - A verifier leaves the roll only once its row was acknowledged as inactive, or no row of it was ever sent.
 * - After so long without a write that another process may have swept the rows, nothing is taken for written.
 * - `applied`, `lease_age_ms` and `downstream` of an active row are for those who look. They go stale, and `seen_at`
 *   with them; the relay's row counts. Of an inactive one they are as of its last ask, which no lease of it is
 *   younger than.
 *
 * Should this process die, at any point: nobody clears `active`. The relay's row stands, and with it the instant until
 * which its verifiers may have been admitted, from which they are fenced together. Its least stays true: whoever it
 * counts stood there or further, has forgotten nothing since, and is granted nothing more by a relay that is dead. A
 * process that was suspended together with its clock finds by the wall clock that its registrations are old.
 *
 * A verifier that moves has a row at each relay that it asked. Each covers what that relay granted. Where one of them
 * says that it knows a change, none of them is waited for (effect-waits.ts).
 *
 * When the store can't be written nobody is admitted and leases run out, this process's own as well. What was granted
 * lives on, as it would with the primary gone.
 */

export interface RelayIdentity {
  /** Drawn at random by this process. */
  readonly id: string;
  readonly name: string;
  readonly region: string | null;
}

export interface RegistryOptions {
  readonly store: Store;
  readonly clock: { monotonicMs(): number; nowMs(): number };
  readonly timers: Timers;
  readonly relay: RelayIdentity;
  /** The verifier of this process; undefined where no other process writes, and it has applied every change by itself. */
  readonly own: (() => { readonly applied: Heads; readonly leaseAgeMs: number }) | undefined;
  /** A write that failed: tried again, and nobody is admitted meanwhile. */
  readonly onProblem: (error: unknown) => void;
}

interface Written {
  readonly active: boolean;
  readonly hasLease: boolean;
  readonly reach: Reach;
  readonly atMs: number;
}

interface RowToWrite {
  readonly key: string;
  readonly reach: Reach;
  readonly row: VerifierRow;
}

export class VerifierRegistry {
  readonly roll: LeaseRoll;
  readonly #options: RegistryOptions;
  /** What the store surely says of each: what was acknowledged, and what nothing on its way may have changed since. */
  readonly #written = new Map<string, Written>();
  /** Whose row has been sent: some row may be there. */
  readonly #sent = new Set<string>();
  readonly #listeners: ((entry: RollEntry) => void)[] = [];
  /** When the last write that succeeded was sent; what it wrote holds for a second from then. */
  #durableAtMs = Number.NEGATIVE_INFINITY;
  #durableAtWallMs = Number.NEGATIVE_INFINITY;
  #sweptAtMs: number;
  #underWay: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #wants = false;
  #isWanted = false;
  #isClosed = false;
  #ownEnded = false;
  #cancel: () => void = () => {};

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#sweptAtMs = options.clock.monotonicMs();
    this.roll = new LeaseRoll({
      clock: options.clock,
      onReport: (entry) => {
        for (const listener of this.#listeners) listener(entry);
      },
      mayGo: ({ key }) => !this.#sent.has(key) || this.#written.get(key)?.active === false,
    });
  }

  /** Told whenever a verifier here has reported, from now on. */
  onReport(listener: (entry: RollEntry) => void): void {
    this.#listeners.push(listener);
  }

  /** Keeps itself durable from now on. A store with one process is written to once there is anybody to write of. */
  start(): void {
    this.#schedule();
  }

  /** Before this process's own verifier reads the heads. */
  async admitOwn(): Promise<void> {
    if (this.#options.own === undefined || this.#isDurable()) return;
    await this.#inTime(this.#flush());
  }

  /** Before the heads are read for an ask: rejects with `stale` when that can't be made durable in time. */
  async admit(owner: RollOwner, report: RollReport, downstream: readonly RollReport[]): Promise<RollEntry> {
    const entry = this.roll.asked(owner, report, downstream);
    if (!this.#isAdmitted(entry)) await this.#inTime(this.#flush());
    // The write may have come so late that it says something else by now.
    if (!this.#isAdmitted(entry)) throw notDurable();
    return entry;
  }

  /** Somebody waits for what the other relays know: they are asked to write more often for a while. */
  want(): void {
    if (this.#wants) return;
    this.#wants = true;
    void this.#flush().catch(() => {});
  }

  /** All relays, and the verifiers of these workspaces; of those, where one is named, that may accept its keys. */
  async read(workspaces: readonly WorkspaceId[], keyspaceId?: KeyspaceId): Promise<RegistryReading> {
    const asked = { workspaceIds: workspaces.map(uuidHexOf), keyspaceId };
    const rows = await readRegistry(this.#options.store, asked, registryRowsMax);
    return readingOf(rows, rows.length < registryRowsMax);
  }

  /** Its own verifier has ended: others need not wait for it. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    this.#ownEnded = true;
    await this.#underWay?.catch(() => {});
    if (this.#durableAtMs > Number.NEGATIVE_INFINITY) await this.#flush().catch(() => {});
  }

  #isAdmitted({ key, reach }: RollEntry): boolean {
    const written = this.#written.get(key);
    return written?.active === true && written.reach === reach && this.#isDurable();
  }

  /** By both clocks: the monotonic one stands while the machine is suspended. */
  #isDurable(): boolean {
    const { clock } = this.#options;
    return (
      clock.monotonicMs() - this.#durableAtMs <= registrationMsMax &&
      clock.nowMs() - this.#durableAtWallMs <= registrationMsMax
    );
  }

  #schedule(): void {
    const delayMs = this.#isWanted || this.#wants ? registryWantedFlushMs : registryFlushMs;
    this.#cancel = this.#options.timers.after(delayMs, () => {
      const isNeeded = this.#options.own !== undefined || this.roll.size > 0;
      const flushed = isNeeded ? this.#flush() : Promise.resolve();
      void flushed.catch(this.#options.onProblem).then(() => (this.#isClosed ? undefined : this.#schedule()));
    });
  }

  /** A write that begins after this call; shared by all who call while another is under way. */
  #flush(): Promise<void> {
    if (this.#underWay === undefined) return this.#begin();
    this.#next ??= this.#underWay
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  #begin(): Promise<void> {
    const write = this.#write().finally(() => {
      if (this.#underWay === write) this.#underWay = undefined;
    });
    this.#underWay = write;
    return write;
  }

  async #write(): Promise<void> {
    const { store, relay, clock, own } = this.#options;
    const sentAtMs = clock.monotonicMs();
    const sentAtWallMs = clock.nowMs();
    const silentMs = Math.max(sentAtMs - this.#durableAtMs, sentAtWallMs - this.#durableAtWallMs);
    if (silentMs > registryDoubtMs) this.#written.clear();
    const rows = this.#rowsToWrite(sentAtMs);
    const wants = this.#wants;
    this.#wants = false;
    const ownNow = this.#ownEnded ? undefined : own?.();
    const heads = {
      own: ownNow?.applied ?? null,
      ownEnded: ownNow === undefined,
      workspaces: this.#leastHeads(sentAtMs),
    };
    const leaseAgeMs = ownNow !== undefined && Number.isFinite(ownNow.leaseAgeMs) ? ownNow.leaseAgeMs : null;
    const relayRow = { relayId: relay.id, name: relay.name, region: relay.region, heads, leaseAgeMs, wants };
    this.#isWanted = await store.transaction((tx) =>
      writeRegistry(
        tx,
        relayRow,
        rows.map(({ row }) => row),
      ),
    );
    this.#durableAtMs = sentAtMs;
    this.#durableAtWallMs = sentAtWallMs;
    for (const { key, row, reach } of rows) {
      this.#written.set(key, {
        active: row.active,
        hasLease: row.leaseAgeMs !== null,
        reach,
        atMs: sentAtMs,
      });
    }
    if (sentAtMs - this.#sweptAtMs > registrySweepMs) {
      this.#sweptAtMs = sentAtMs;
      // Apart: what is swept and when is nothing to a registration.
      void store.transaction((tx) => sweepRegistry(tx, registryKeptMs)).catch(this.#options.onProblem);
    }
  }

  #rowsToWrite(nowMs: number): readonly RowToWrite[] {
    this.roll.forget();
    for (const key of this.#sent) {
      if (this.roll.has(key)) continue;
      this.#sent.delete(key);
      this.#written.delete(key);
    }
    const rows: RowToWrite[] = [];
    let refreshed = 0;
    for (const entry of this.roll.entries()) {
      const { key, report, reach } = entry;
      const active = this.roll.isActive(entry, nowMs);
      const written = this.#written.get(key);
      const isOther = written?.active !== active || written.reach !== reach;
      const hasLease = report.leaseAgeMs !== undefined;
      const isOld = active && written !== undefined && nowMs - written.atMs > registryRefreshMs;
      if (!isOther && !(active && written.hasLease !== hasLease)) {
        if (!isOld || refreshed >= registryRefreshRowsMax) continue;
        refreshed += 1;
      }
      if (isOther) this.#written.delete(key);
      this.#sent.add(key);
      rows.push({ key, reach, row: rowOf(entry, active, nowMs) });
    }
    return rows;
  }

  /** By workspace, the least that any of its active verifiers may stand at; null: unknown. */
  #leastHeads(nowMs: number): Readonly<Record<string, Heads | null>> {
    const least = new Map<WorkspaceId, Heads | undefined>();
    for (const entry of this.roll.entries()) {
      const { workspaceId } = entry.owner;
      if (workspaceId === undefined || !this.roll.isActive(entry, nowMs)) continue;
      const known = least.has(workspaceId) ? [{ applied: least.get(workspaceId) }] : [];
      least.set(workspaceId, standsAt(entry.stands, known));
    }
    return Object.fromEntries([...least].map(([workspaceId, heads]) => [workspaceId, heads ?? null]));
  }

  #inTime(flushed: Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const refuse = (cause?: unknown) => reject(notDurable(cause));
    const cancel = this.#options.timers.after(registrationWaitMsMax, () => refuse());
    flushed.then(resolve, refuse);
    return promise.finally(cancel);
  }
}

function notDurable(cause?: unknown): Fault {
  return new Fault('stale', {
    detail: 'The registration of this verifier could not be made durable.',
    retryAfterMs: staleRetryAfterMs,
    cause,
  });
}

function rowOf(
  { owner, report, downstream, stands, reach, seenAtMs }: RollEntry,
  active: boolean,
  nowMs: number,
): VerifierRow {
  const { workspaceId, credential } = owner;
  return {
    workspaceId: workspaceId === undefined ? '' : uuidHexOf(workspaceId),
    credentialId: uuidHexOf(credential as KeyId),
    verifierId: report.id,
    name: report.name,
    region: report.region ?? null,
    kind: report.kind,
    applied: report.applied ?? stands ?? null,
    leaseAgeMs: report.leaseAgeMs ?? null,
    reach,
    downstream: downstream.map(({ id, name, region, kind, applied, leaseAgeMs, count, reach: its }) => ({
      id,
      name,
      region: region ?? null,
      kind,
      applied: applied ?? null,
      leaseAgeMs: leaseAgeMs ?? null,
      ...(count === undefined ? {} : { count }),
      ...(its === undefined ? {} : { reach: its }),
    })),
    active,
    silentMs: active ? 0 : Math.max(0, nowMs - seenAtMs),
  };
}

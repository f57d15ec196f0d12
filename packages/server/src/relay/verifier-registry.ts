import { Fault, type KeyId, uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Heads } from '@keyswarm/verifier';
import { LeaseRoll, type RollEntry, type RollOwner, type RollReport, standsAt } from '@keyswarm/verifier';
import {
  registrationMsMax,
  registrationWaitMsMax,
  registryFlushMs,
  registryKeptMs,
  registryRefreshMs,
  registryRefreshRowsMax,
  registryRowsMax,
  registrySweepMs,
  registryWantedFlushMs,
  rollKeptMs,
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
 * When the store can't be written nobody is admitted and leases run out, this process's own as well. What was granted
 * lives on, as it would with the primary gone.
 *
 * What the relay's row says of positions is the least of all its active verifiers, by workspace: one small row tells
 * the other servers of a thousand verifiers that they know a change.
 */

export interface RelayIdentity {
  /** Drawn at random by this process. */
  readonly id: string;
  readonly name: string;
  readonly region: string | null;
}

export interface RegistryOptions {
  readonly store: Store;
  readonly clock: { monotonicMs(): number };
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
  readonly atMs: number;
}

export class VerifierRegistry {
  readonly roll: LeaseRoll;
  readonly #options: RegistryOptions;
  /** What the store says of each, as far as it was told. */
  readonly #written = new Map<string, Written>();
  #listener: () => void = () => {};
  /** When the last write that succeeded was sent; what it wrote holds for a second from then. */
  #durableAtMs = Number.NEGATIVE_INFINITY;
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
    this.roll = new LeaseRoll(options.clock, () => this.#listener());
  }

  /** Told whenever a verifier here has reported. */
  onReport(listener: () => void): void {
    this.#listener = listener;
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
    if (entry === undefined) {
      throw new Fault('overloaded', { detail: 'This relay has as many verifiers as it can keep.' });
    }
    if (this.#written.get(entry.key)?.active !== true || !this.#isDurable()) {
      await this.#inTime(this.#flush());
    }
    return entry;
  }

  /** Somebody waits for what the other relays know: they are asked to write more often for a while. */
  want(): void {
    if (this.#wants) return;
    this.#wants = true;
    void this.#flush().catch(() => {});
  }

  /** All relays, and the verifiers of these workspaces. */
  async read(workspaces: readonly WorkspaceId[]): Promise<RegistryReading> {
    const rows = await readRegistry(this.#options.store, workspaces.map(uuidHexOf), registryRowsMax);
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

  #isDurable(): boolean {
    return this.#options.clock.monotonicMs() - this.#durableAtMs <= registrationMsMax;
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
    const rows = this.#rowsToWrite(sentAtMs);
    const wants = this.#wants;
    this.#wants = false;
    const ownNow = this.#ownEnded ? undefined : own?.();
    const heads = {
      own: ownNow?.applied ?? null,
      ownEnded: ownNow === undefined,
      workspaces: this.#leastHeads(),
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
    this.#durableAtMs = Math.max(this.#durableAtMs, sentAtMs);
    for (const { key, row } of rows) {
      this.#written.set(key, { active: row.active, hasLease: row.leaseAgeMs !== null, atMs: sentAtMs });
    }
    if (sentAtMs - this.#sweptAtMs > registrySweepMs) {
      this.#sweptAtMs = sentAtMs;
      await store.transaction((tx) => sweepRegistry(tx, registryKeptMs));
    }
  }

  #rowsToWrite(nowMs: number): readonly { readonly key: string; readonly row: VerifierRow }[] {
    this.roll.forget(rollKeptMs);
    const rows: { readonly key: string; readonly row: VerifierRow }[] = [];
    const present = new Set<string>();
    let refreshed = 0;
    for (const entry of this.roll.entries()) {
      present.add(entry.key);
      const active = this.roll.isActive(entry);
      const written = this.#written.get(entry.key);
      const hasLease = entry.report.leaseAgeMs !== undefined;
      const hasChanged = written?.active !== active || (active && written.hasLease !== hasLease);
      const isOld = written !== undefined && active && nowMs - written.atMs > registryRefreshMs;
      if (!hasChanged && !(isOld && refreshed < registryRefreshRowsMax)) continue;
      if (!hasChanged) refreshed += 1;
      // From here on: whoever asks while this is on its way has to wait for the next one.
      if (!active) this.#written.set(entry.key, { active: false, hasLease, atMs: nowMs });
      rows.push({ key: entry.key, row: rowOf(entry, active, nowMs) });
    }
    for (const key of this.#written.keys()) if (!present.has(key)) this.#written.delete(key);
    return rows;
  }

  /** By workspace, the least that any of its active verifiers may stand at; null: unknown. */
  #leastHeads(): Readonly<Record<string, Heads | null>> {
    const least = new Map<WorkspaceId, Heads | undefined>();
    for (const entry of this.roll.entries()) {
      const { workspaceId } = entry.owner;
      if (workspaceId === undefined || !this.roll.isActive(entry)) continue;
      const known = least.has(workspaceId) ? [{ applied: least.get(workspaceId) }] : [];
      least.set(workspaceId, standsAt(entry.stands, known));
    }
    return Object.fromEntries([...least].map(([workspaceId, heads]) => [workspaceId, heads ?? null]));
  }

  #inTime(flushed: Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const refuse = (cause?: unknown) =>
      reject(
        new Fault('stale', {
          detail: 'The registration of this verifier could not be made durable.',
          retryAfterMs: staleRetryAfterMs,
          cause,
        }),
      );
    const cancel = this.#options.timers.after(registrationWaitMsMax, () => refuse());
    flushed.then(resolve, refuse);
    return promise.finally(cancel);
  }
}

function rowOf(
  { owner, report, downstream, stands, seenAtMs }: RollEntry,
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
    downstream: downstream.map(({ id, name, region, kind, applied, leaseAgeMs }) => ({
      id,
      name,
      region: region ?? null,
      kind,
      applied: applied ?? null,
      leaseAgeMs: leaseAgeMs ?? null,
    })),
    active,
    silentMs: active ? 0 : Math.max(0, nowMs - seenAtMs),
  };
}

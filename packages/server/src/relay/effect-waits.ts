import { Fault, leaseDriftRatio, leaseSecondsMax } from '@keyswarm/core';
import { countOf, type Heads, type RollEntry, type RollReport } from '@keyswarm/verifier';
import type {
  AwaitEffective,
  EffectiveChange,
  EffectiveOutcome,
  Laggard,
} from '../access/await-effective.ts';
import type { LeaseReads } from '../access/lease-reads.ts';
import {
  effectPollMs,
  effectWaitersMax,
  effectWantMs,
  laggardsMax,
  registrationMsMax,
  relayAliveMs,
} from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import type { RegistryReading, RelayReading, VerifierReading } from './registry-reading.ts';
import type { RelayIdentity, VerifierRegistry } from './verifier-registry.ts';

/*
 * The second ack: waits until every verifier that may hold a lease knows a change (SPEC.md, rule 12).
 *
 * Two things have to be found out after the commit, in any order. Of the verifiers that ask *here*: the roll of this
 * process, looked at whenever one of them reports. Of all the *others*: one read of the registry in which each of them has
 * reported the change or is fenced. Those are read for all who wait at once, and only while somebody does. A verifier
 * that is in neither was registered later, and was given heads that hold the change.
 *
 * One that has said that it knows the change, to whichever relay and whenever, is waited for nowhere: a process has one
 * id, drawn at random, and one table, which forgets nothing. For a relay the same is true of those behind it, once it and
 * all of them were said to know: whom it answers after that, it answers with the change.
 *
 * Fenced is who was last heard of longer ago than T and the second that a registration holds for, where no longer
 * lease from before is still running. For as long as a lease can last after a new epoch nothing is claimed early, since
 * a failover may have lost registrations; an epoch that was begun by an operator is the second in which it began.
 *
 * A store that can't be read costs the early answer, never the bound.
 */

export interface EffectWaitsOptions {
  readonly registry: Pick<VerifierRegistry, 'roll' | 'read' | 'want' | 'onReport'>;
  readonly relay: RelayIdentity;
  /** Where the verifier of this process stands. */
  readonly applied: () => Heads;
  /** Asks the verifiers that follow this relay to report now. */
  readonly wantReports: () => void;
  readonly leases: Pick<LeaseReads, 'ofWorkspace' | 'ofKeyspace'>;
  readonly clock: { nowMs(): number; monotonicMs(): number };
  readonly timers: Timers;
}

interface Wait {
  readonly change: EffectiveChange;
  /** Unix ms of the store's clock, as it is now; never ahead of it. */
  readonly nowMs: () => number;
  /** Silence after which a verifier is fenced; undefined: unknown, so that nobody counts as fenced. */
  readonly fence: { readonly silentMs: number; readonly notBeforeMs: number } | undefined;
  readonly settle: (outcome: EffectiveOutcome) => void;
  /** Who has said that it knows, with all behind it. */
  readonly known: Set<string>;
  /** A whole read in which all others knew. */
  othersKnow: boolean;
  others: { readonly count: number; readonly laggards: readonly Laggard[] };
}

const longestLeaseMs = leaseSecondsMax * 1000 * (1 + leaseDriftRatio);
/** By how much a timer may be early. */
const earlyTimerMs = 2;
/** An epoch that is an instant: those of stores that never had another are small numbers. */
const firstInstantSeconds = 1_000_000_000;

export class EffectWaits {
  readonly #options: EffectWaitsOptions;
  readonly #waits = new Set<Wait>();
  #isPolling = false;
  #wantedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: EffectWaitsOptions) {
    this.#options = options;
    options.registry.onReport(() => this.#lookHere());
  }

  get size(): number {
    return this.#waits.size;
  }

  readonly awaitEffective: AwaitEffective = async (change, signal) => {
    if (this.#waits.size >= effectWaitersMax) {
      throw new Fault('overloaded', {
        detail: 'As many requests as can be wait for a change to be effective.',
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<EffectiveOutcome>();
    const wait = await this.#waitFor(change, resolve);
    signal?.throwIfAborted();
    const stop = () => reject(signal?.reason);
    // A timer may be a little early, and an answer that says "at the bound" must not be.
    const leftMs = Math.max(0, Math.ceil(change.effectiveByMs - wait.nowMs())) + earlyTimerMs;
    const cancel = this.#options.timers.after(leftMs, () => resolve(this.#outcomeAtBound(wait)));
    signal?.addEventListener('abort', stop, { once: true });
    this.#waits.add(wait);
    this.#options.wantReports();
    void this.#poll();
    try {
      return await promise;
    } finally {
      cancel();
      signal?.removeEventListener('abort', stop);
      this.#waits.delete(wait);
    }
  };

  async #waitFor(change: EffectiveChange, settle: (outcome: EffectiveOutcome) => void): Promise<Wait> {
    const { leases, clock } = this.#options;
    // Read after the commit: the lease of now, and until when a longer one from before it may still run. What is of one
    // keyspace is judged by the lease of that; another's may well be longer.
    const { workspaceId, keyspaceId } = change;
    const asked = keyspaceId === undefined ? leases.ofWorkspace(workspaceId) : leases.ofKeyspace(keyspaceId);
    const found = await asked.catch(() => undefined);
    const readAtMs = clock.monotonicMs();
    const startMs = found?.nowMs ?? clock.nowMs();
    const lease = found?.lease;
    return {
      change,
      settle,
      nowMs: () => startMs + (clock.monotonicMs() - readAtMs),
      fence:
        lease === undefined
          ? undefined
          : {
              silentMs: lease.leaseMs * (1 + leaseDriftRatio) + registrationMsMax,
              notBeforeMs: lease.formerUntilMs ?? 0,
            },
      known: new Set(),
      othersKnow: false,
      others: { count: 0, laggards: [] },
    };
  }

  /** Runs while somebody waits: a fence is passed by time alone, with nobody to tell of it. */
  async #poll(): Promise<void> {
    if (this.#isPolling) return;
    this.#isPolling = true;
    while (this.#waits.size > 0) {
      // A read is for those who came before it began.
      const asking = [...this.#waits].filter(({ othersKnow }) => !othersKnow);
      if (asking.length > 0) await this.#lookElsewhere(asking);
      this.#lookHere();
      if (this.#waits.size > 0) await this.#options.timers.sleep(effectPollMs);
    }
    this.#isPolling = false;
  }

  async #lookElsewhere(asking: readonly Wait[]): Promise<void> {
    const { registry, relay, clock } = this.#options;
    const workspaces = new Set(asking.map(({ change }) => change.workspaceId));
    const reading = await registry.read([...workspaces]).catch(() => undefined);
    if (reading === undefined) return;
    this.#lookAt(reading, asking);
    const hasOthers = reading.relays.some(({ id, silentMs }) => id !== relay.id && silentMs < relayAliveMs);
    const isDue = clock.monotonicMs() - this.#wantedAtMs >= effectWantMs;
    if (hasOthers && isDue && asking.some(({ othersKnow }) => !othersKnow)) {
      this.#wantedAtMs = clock.monotonicMs();
      registry.want();
    }
  }

  #lookAt(reading: RegistryReading, asking: readonly Wait[]): void {
    for (const wait of asking) {
      const lagging = laggardsElsewhere(reading, wait, this.#options);
      wait.others = lagging;
      wait.othersKnow = reading.isWhole && lagging.laggards.length === 0 && !mayHaveLost(wait);
    }
  }

  #lookHere(): void {
    for (const wait of this.#waits) {
      if (!wait.othersKnow || !knows(this.#options.applied(), wait.change)) continue;
      if (this.#laggardsHere(wait).laggards.length > 0) continue;
      this.#waits.delete(wait);
      wait.settle({ atMs: Math.floor(wait.nowMs()), verifiers: this.#countOf(wait), laggards: [] });
    }
  }

  #outcomeAtBound(wait: Wait): EffectiveOutcome {
    const laggards = [...this.#laggardsHere(wait).laggards, ...wait.others.laggards].slice(0, laggardsMax);
    return { atMs: Math.floor(wait.nowMs()), verifiers: this.#countOf(wait), laggards };
  }

  #countOf(wait: Wait): number {
    return 1 + this.#laggardsHere(wait).count + wait.others.count;
  }

  #laggardsHere(wait: Wait): Laggards {
    const nowMs = this.#options.clock.monotonicMs();
    const laggards: Laggard[] = [];
    let count = 0;
    for (const entry of this.#options.registry.roll.entries()) {
      if (entry.owner.workspaceId !== wait.change.workspaceId) continue;
      const silentMs = nowMs - entry.seenAtMs;
      if (isFenced(wait, silentMs)) continue;
      count += 1 + countOf(entry.downstream);
      if (wait.known.has(knownAs(entry.owner.credential, entry.report))) continue;
      laggards.push(
        ...laggingIn(wait, { ...entry, applied: entry.report.applied ?? entry.stands, silentMs }),
      );
    }
    return { count, laggards };
  }
}

interface Laggards {
  readonly count: number;
  readonly laggards: readonly Laggard[];
}

function laggardsElsewhere(
  { relays }: RegistryReading,
  wait: Wait,
  { relay: here, registry }: EffectWaitsOptions,
): Laggards {
  const { change } = wait;
  const laggards: Laggard[] = [];
  let count = 0;
  noteKnown(relays, wait, registry.roll.entries());
  for (const relay of relays) {
    if (relay.id === here.id) continue;
    if (relay.own !== 'ended' && !isFenced(wait, relay.silentMs)) {
      count += 1;
      if (!knows(relay.own, change)) laggards.push(ownOf(relay));
    }
    const doAllKnow = knows(relay.least.get(change.workspaceId), change);
    for (const one of relay.verifiers) {
      if (one.workspaceId !== change.workspaceId || isFenced(wait, one.silentMs)) continue;
      count += 1 + countOf(one.downstream);
      if ((one.isActive && doAllKnow) || wait.known.has(knownAs(one.credentialId, one))) continue;
      laggards.push(...laggingIn(wait, toldBy(one)));
    }
  }
  return { count, laggards };
}

/** By every report that there is: of those who ask here, and of those who ask or have asked elsewhere. */
function noteKnown(relays: readonly RelayReading[], wait: Wait, here: Iterable<RollEntry>): void {
  const { change, known } = wait;
  for (const { owner, report, downstream, stands } of here) {
    if (owner.workspaceId !== change.workspaceId) continue;
    const told = { report, downstream, applied: report.applied ?? stands, silentMs: 0 };
    if (doAllKnowIn(change, told)) known.add(knownAs(owner.credential, report));
  }
  for (const { verifiers, least } of relays) {
    const doAllKnow = knows(least.get(change.workspaceId), change);
    for (const one of verifiers) {
      if (one.workspaceId !== change.workspaceId) continue;
      if ((one.isActive && doAllKnow) || doAllKnowIn(change, toldBy(one)))
        known.add(knownAs(one.credentialId, one));
    }
  }
}

/** Nobody speaks for the verifiers of another credential. */
function knownAs(credential: string, { id }: Pick<RollReport, 'id'>): string {
  return `${credential} ${id}`;
}

function doAllKnowIn(change: EffectiveChange, { applied, downstream }: Told): boolean {
  return knows(applied, change) && downstream.every((one) => knows(one.applied, change));
}

/** A change is known from where it stands, and in every later epoch, which began with it. */
function knows(heads: Heads | undefined, { epoch, shard, seq }: EffectiveChange): boolean {
  if (heads === undefined || heads.epoch < epoch) return false;
  return heads.epoch > epoch || (heads.seqs[shard] ?? 0) >= seq;
}

function isFenced({ fence, nowMs }: Wait, silentMs: number): boolean {
  return fence !== undefined && silentMs > fence.silentMs && nowMs() >= fence.notBeforeMs;
}

/** Is the epoch so young that registrations of before it may be lost while their leases live? */
function mayHaveLost({ change: { epoch }, nowMs }: Wait): boolean {
  return epoch >= firstInstantSeconds && nowMs() < epoch * 1000 + longestLeaseMs + registrationMsMax;
}

/** What one verifier has told of itself, and of those behind it. */
interface Told {
  readonly report: RollReport;
  readonly applied: Heads | undefined;
  readonly downstream: readonly RollReport[];
  readonly silentMs: number;
}

const toldBy = (one: VerifierReading): Told => ({ ...one, report: one });

/** Which of them may not know the change: itself, those behind it, or none. */
function laggingIn(wait: Wait, { report, applied, downstream, silentMs }: Told): readonly Laggard[] {
  const behind = downstream.filter((one) => {
    const isSilent = one.leaseAgeMs !== undefined && isFenced(wait, one.leaseAgeMs + silentMs);
    return !isSilent && !knows(one.applied, wait.change);
  });
  const lagging = knows(applied, wait.change) ? behind : [report, ...behind];
  return lagging.map(({ id, name, leaseAgeMs }) => ({
    id,
    name,
    leaseAgeMs: leaseAgeMs === undefined ? null : Math.round(leaseAgeMs + silentMs),
  }));
}

function ownOf({ id, name, leaseAgeMs, silentMs }: RelayReading): Laggard {
  return { id, name, leaseAgeMs: leaseAgeMs === null ? null : Math.round(leaseAgeMs + silentMs) };
}

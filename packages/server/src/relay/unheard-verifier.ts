import { leaseDriftRatio, type UnheardVerifier, type WorkspaceId } from '@keyswarm/core';
import type { RollEntry, RollReport } from '@keyswarm/verifier';
import { registrationMsMax, useHeardMs, verifierActiveMs } from '../limits.ts';
import type { Lease } from '../storage/reader-port.ts';
import type { RegistryReading } from './registry-reading.ts';

/*
 * Who may have accepted keys without having told. A verifier tells its uses with its asks for the lease, so one that is
 * heard of has told, and one that is silent may go on accepting until its lease has ended. Its silence is the least of
 * all that relays say of it, for it may have moved; those behind a relay are silent for as long as that, and for as
 * long as the relay has not heard of them.
 *
 * It errs on one side: one that was shut down in order is not told apart from one that was cut off.
 */

export interface Sightings {
  readonly reading: RegistryReading;
  /** Of this process. */
  readonly here: {
    readonly relayId: string;
    readonly entries: Iterable<RollEntry>;
    readonly monotonicMs: number;
  };
}

interface Seen {
  readonly name: string;
  silentMs: number;
}

/** Of the silent ones, the one that may have accepted keys of this workspace last; null: all are heard of. */
export function unheardVerifier(
  sightings: Sightings,
  asked: { readonly workspaceId: WorkspaceId; readonly lease: Lease; readonly nowMs: number },
): UnheardVerifier | null {
  const { lease, nowMs, workspaceId } = asked;
  // One that is active has asked within this time of when its relay was last heard of.
  const mayLiveMs = lease.leaseMs * (1 + leaseDriftRatio) + registrationMsMax + verifierActiveMs;
  let last: UnheardVerifier | null = null;
  for (const { name, silentMs } of silences(sightings, workspaceId)) {
    if (silentMs <= useHeardMs) continue;
    const untilMs = Math.max(nowMs - silentMs + mayLiveMs, lease.formerUntilMs ?? 0);
    if (last === null || untilMs > last.mayHaveAcceptedUntilMs) {
      last = { name, mayHaveAcceptedUntilMs: Math.ceil(untilMs) };
    }
  }
  // More verifiers than can be read at once: any of them may be silent.
  if (!sightings.reading.isWhole)
    return { name: 'of those that are not listed', mayHaveAcceptedUntilMs: nowMs };
  return last;
}

function silences({ reading, here }: Sightings, workspaceId: WorkspaceId): Iterable<Seen> {
  const seen = new Map<string, Seen>();
  const note = (key: string, name: string, silentMs: number) => {
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { name, silentMs });
    else known.silentMs = Math.min(known.silentMs, silentMs);
  };
  const noteAll = (
    credential: string,
    told: RollReport,
    downstream: readonly RollReport[],
    silentMs: number,
  ) => {
    note(`${credential} ${told.id}`, told.name, silentMs);
    for (const one of downstream) {
      note(`${credential} ${one.id}`, one.name, silentMs + (one.leaseAgeMs ?? 0));
    }
  };
  for (const { owner, report, downstream, seenAtMs } of here.entries) {
    if (owner.workspaceId !== workspaceId) continue;
    noteAll(owner.credential, report, downstream, Math.max(0, here.monotonicMs - seenAtMs));
  }
  for (const relay of reading.relays) {
    if (relay.id === here.relayId) continue;
    if (relay.own !== 'ended') note(relay.id, relay.name, relay.silentMs);
    for (const one of relay.verifiers) {
      if (one.workspaceId === workspaceId) noteAll(one.credentialId, one, one.downstream, one.silentMs);
    }
  }
  return seen.values();
}

import { type KeyspaceId, leaseDriftRatio, type UnheardVerifier, type WorkspaceId } from '@keyswarm/core';
import { type RollEntry, type RollReport, reachesKeyspace, wholeReach } from '@keyswarm/verifier';
import { registrationMsMax, useHeardMs, verifierActiveMs } from '../limits.ts';
import type { Lease } from '../storage/reader-port.ts';
import type { RegistryReading } from './registry-reading.ts';

/*
 * Who may have accepted keys without having told. A verifier tells its uses with its asks for the lease, so one that is
 * heard of has told, and one that is silent may go on accepting until its lease has ended. Its silence is the least of
 * all that relays say of it, for it may have moved; those behind a relay are silent for as long as that, and for as
 * long as the relay has not heard of them. Only those are asked after that may read the keyspace: a credential for one
 * keyspace can hold up nothing in another by falling silent, nor by filling the list of those that there are.
 *
 * One that last said that it has no lease accepts nothing: it was shut down in order, or has not begun. (One that is cut off
 * in the quarter of a second between its first answer and its next ask is taken for such a one.) What a relay tells of those
 * behind it does not say so, and there one that was shut down is not told apart from one that was cut off.
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
  readonly silentMs: number;
  /** As it said itself. */
  readonly mayHaveLease: boolean;
}

/** Whose silence is asked about: of all that may accept keys of this keyspace. */
interface Place {
  readonly workspaceId: WorkspaceId;
  readonly keyspaceId: KeyspaceId;
}

/** Of the silent ones, the one that may have accepted keys of this keyspace last; null: all are heard of. */
export function unheardVerifier(
  sightings: Sightings,
  asked: Place & { readonly lease: Lease; readonly nowMs: number },
): UnheardVerifier | null {
  const { lease, nowMs } = asked;
  // One that is active has asked within this time of when its relay was last heard of.
  const mayLiveMs = lease.leaseMs * (1 + leaseDriftRatio) + registrationMsMax + verifierActiveMs;
  let last: UnheardVerifier | null = null;
  for (const { name, silentMs, mayHaveLease } of lastSeen(sightings, asked)) {
    if (silentMs <= useHeardMs || !mayHaveLease) continue;
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

/** Of each, the last that was heard of it, wherever that was: what it said elsewhere before is over. */
function lastSeen({ reading, here }: Sightings, { workspaceId, keyspaceId }: Place): Iterable<Seen> {
  const last = new Map<string, Seen>();
  const note = (key: string, seen: Seen) => {
    const known = last.get(key);
    if (known === undefined || seen.silentMs < known.silentMs) last.set(key, seen);
  };
  const noteAll = (
    credential: string,
    { id, name, leaseAgeMs }: RollReport,
    downstream: readonly RollReport[],
    silentMs: number,
  ) => {
    note(`${credential} ${id}`, { name, silentMs, mayHaveLease: leaseAgeMs !== undefined });
    for (const one of downstream) {
      if (!reachesKeyspace(one.reach ?? wholeReach, keyspaceId)) continue;
      const silentFor = silentMs + (one.leaseAgeMs ?? 0);
      note(`${credential} ${one.id}`, { name: one.name, silentMs: silentFor, mayHaveLease: true });
    }
  };
  for (const { owner, report, downstream, reach, seenAtMs } of here.entries) {
    if (owner.workspaceId !== workspaceId || !reachesKeyspace(reach, keyspaceId)) continue;
    noteAll(owner.credential, report, downstream, Math.max(0, here.monotonicMs - seenAtMs));
  }
  for (const relay of reading.relays) {
    const isHere = relay.id === here.relayId;
    if (!isHere && relay.own !== 'ended') {
      note(relay.id, { name: relay.name, silentMs: relay.silentMs, mayHaveLease: true });
    }
    for (const one of relay.verifiers) {
      if (one.workspaceId !== workspaceId || !reachesKeyspace(one.reach ?? wholeReach, keyspaceId)) continue;
      // The roll of this process knows better who is active; who has left it since is known by the row alone.
      if (isHere && one.isActive) continue;
      noteAll(one.credentialId, one, one.downstream, one.silentMs);
    }
  }
  return last.values();
}

import type { Heads } from '../feed/feed-source.ts';
import { activeMsMax } from '../limits.ts';
import { joinedReach, type Reach, wholeReach } from './reach.ts';

export interface RollIdentity {
  readonly id: string;
  readonly name: string;
  readonly region?: string | undefined;
  readonly kind: 'server' | 'library' | 'node' | 'relay';
}

export interface RollReport extends RollIdentity {
  readonly applied: Heads | undefined;
  readonly leaseAgeMs: number | undefined;
  /** It stands for so many, at the least of them and with the youngest lease of them; absent: for itself. */
  readonly count?: number | undefined;
  /** Of which keyspaces it may accept keys, by its relay; absent: of all of its workspace. */
  readonly reach?: Reach | undefined;
}

/*
 * What a relay tells of those behind it has to fit into an ask however many they are: an ask that is refused for its
 * length ends the relay's own lease, and with it that of its whole region.
 *
 * Those furthest behind keep their names, for they are whom somebody waits for. The others are told of as two, those
 * that still ask and those that have gone silent: each stands at the least of its members, reaches what any of them does, and
 * its lease is as young as the youngest. So nothing is claimed of the two that isn't true of each member, and one that died far behind holds up
 * a claim for as long as its own lease might live, and not for as long as another one asks.
 */
export function compressed(reports: readonly RollReport[], namedMax: number): readonly RollReport[] {
  if (reports.length <= namedMax) return reports;
  const places = reports.map((report) => ({ report, place: placeOf(report.applied) }));
  places.sort((a, b) => a.place.epoch - b.place.epoch || a.place.rows - b.place.rows);
  const sorted = places.map(({ report }) => report);
  const others = sorted.slice(namedMax);
  const active = others.filter(isActive);
  return [
    ...sorted.slice(0, namedMax),
    ...together('others', active),
    ...together('others.silent', active.length === others.length ? [] : others.filter(isSilent)),
  ];
}

function isActive({ leaseAgeMs }: RollReport): boolean {
  return leaseAgeMs !== undefined && leaseAgeMs <= activeMsMax;
}

function isSilent(report: RollReport): boolean {
  return !isActive(report);
}

function together(id: string, members: readonly RollReport[]): readonly RollReport[] {
  const [first, ...rest] = members;
  if (first === undefined) return [];
  const count = countOf(members);
  const ages = members.map(({ leaseAgeMs }) => leaseAgeMs);
  // Of one without an age nothing is known but that it may have any.
  const leaseAgeMs = ages.reduce((least, age) =>
    least === undefined || age === undefined ? undefined : Math.min(least, age),
  );
  const applied = standsAt(first.applied, rest);
  const reach = joinedReach(members.map((member) => member.reach ?? wholeReach));
  return [{ id, name: `${count} others`, kind: 'library', applied, leaseAgeMs, count, reach }];
}

/** One whose position is unknown comes first. */
function placeOf(applied: Heads | undefined): { readonly epoch: number; readonly rows: number } {
  if (applied === undefined) return { epoch: -1, rows: 0 };
  return { epoch: applied.epoch, rows: applied.seqs.reduce((sum, seq) => sum + seq, 0) };
}

/** How many they are, with those that are told of together. */
export function countOf(reports: readonly RollReport[]): number {
  return reports.reduce((sum, { count = 1 }) => sum + count, 0);
}

/** Shard by shard the least of all; undefined when that of one is unknown or of another epoch. */
export function standsAt(
  own: Heads | undefined,
  others: readonly Pick<RollReport, 'applied'>[],
): Heads | undefined {
  if (own === undefined) return undefined;
  const seqs = [...own.seqs];
  for (const { applied } of others) {
    if (applied === undefined || applied.epoch !== own.epoch || applied.seqs.length !== seqs.length)
      return undefined;
    for (const [shard, seq] of applied.seqs.entries()) seqs[shard] = Math.min(seq, seqs[shard] ?? 0);
  }
  return { epoch: own.epoch, seqs };
}

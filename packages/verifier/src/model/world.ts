import type { Flaw } from './flaws.ts';

/*
 * One state of the model: the primary, its standby, the relays and verifiers, and what is in flight between them.
 * Time is in ticks, and no state holds an instant: only ages, each capped where a greater one makes no difference.
 * So the space is finite although time is not, and a search of it covers runs of any length.
 *
 * Rows, heartbeats and snapshots are not kept in flight. Whatever was ever committed may reach anybody at any later
 * moment, any number of times, in any order or never; that is all a network could do to them, and more. Asks and
 * answers are kept, because what an answer proves depends on when it was asked for; one may be lost or repeated.
 */

/** A change that may be written once: its row goes to the end of its shard. */
export interface Change {
  /** One character. */
  readonly id: string;
  readonly shard: number;
  /** The lease of the keyspace from then on. */
  readonly lease?: number;
}

/** A key that is watched: revoked by this change, and judged by what these shards hold. */
export interface Watched {
  readonly revokedBy: string;
  readonly shards: readonly number[];
}

export interface Scenario {
  readonly name: string;
  readonly shards: number;
  readonly changes: readonly Change[];
  readonly keys: readonly Watched[];
  readonly leaseFirst: number;
  readonly leaseMax: number;
  /** Relays that each verifier may ask, by verifier: 0 is the authority, n is verifier n − 1, a chained relay. */
  readonly asks: readonly (readonly number[])[];
  /** Asks in flight a verifier. */
  readonly asksMax: number;
  readonly can: ReadonlySet<Fault>;
}

/** What may go wrong in a scenario besides late, lost, repeated and reordered messages. */
export type Fault =
  | 'pause'
  | 'snapshot'
  | 'restart'
  | 'sleep'
  | 'wallBack'
  | 'failover'
  | 'poison'
  /** Not a fault: `?wait=effective` with its registry is part of the scenario. */
  | 'wait';

export interface Protocol {
  readonly scenario: Scenario;
  readonly flaw: Flaw | undefined;
}

export interface Heads {
  readonly epoch: number;
  readonly seqs: readonly number[];
  /** Age a shard; all the same but where one is quarantined. */
  readonly ages: readonly number[];
}

export interface Ask {
  relay: number;
  /** Ticks since it was asked, on the asker's monotonic clock. */
  p0: number;
  /** Heads that a faulty relay took before its time. */
  early: Heads | null;
  answer: Heads | null;
}

export interface Node {
  epoch: number;
  seqs: number[];
  /** Ids of the changes that the table holds, in order of arrival. */
  facts: string;
  /** Age of the lease base, a shard. The cap says: none. */
  bases: number[];
  /** Ticks since the lease was dropped last. */
  dropped: number;
  asks: Ask[];
  /** A verification that has done its first half; the process stands still until it is resumed. */
  half: boolean;
  /** Wall minus monotonic clock since they agreed. */
  wallOff: number;
  lease: number;
  leaseBefore: number;
  raised: number;
  quarantined: boolean;
  /** Revocations that this verifier's table has ever held. */
  knew: string;
}

export interface Registered {
  /** Ticks since `seen_at`. */
  seen: number;
  reported: boolean;
}

export interface World {
  epoch: number;
  logs: string[];
  /** How much of each log the standby has. */
  copied: number[];
  /** The logs of the primary that was replaced. */
  former: readonly string[] | null;
  lease: number;
  /** Ticks that a longer lease from before may still run; -1: none does. */
  formerLease: number;
  /** A lease that a faulty writer read before its write. */
  leaseRead: number;
  /** Ticks until `effective_by` of each watched key; `notAcked`, and -1 when it is past. */
  due: number[];
  nodes: Node[];
  /** A read of the heads that a faulty relay lets later asks join. */
  underWay: Heads | null;
  registry: (Readonly<Registered> | null)[];
  /** Ticks since each relay persisted each verifier, as the relay reckons. */
  persisted: (readonly number[])[];
  claimed: boolean;
  /** Ticks since a failover that may have lost registrations. */
  sinceLoss: number;
  /** Verifiers whose report a faulty acker waits for. */
  awaited: readonly number[] | null;
}

export const notAcked = 99;
/** Ticks for which one registration lets a relay grant. */
export const registrationTicks = 1;

export function ageCap(scenario: Scenario): number {
  return scenario.leaseMax + 1;
}

export function seenCap(scenario: Scenario): number {
  return scenario.leaseMax + registrationTicks + 1;
}

export function firstWorld(scenario: Scenario): World {
  const { shards, leaseFirst, asks } = scenario;
  const none = ageCap(scenario);
  const zeros = Array.from({ length: shards }, () => 0);
  const node = (): Node => ({
    epoch: 1,
    seqs: [...zeros],
    facts: '',
    bases: zeros.map(() => none),
    dropped: none,
    asks: [],
    half: false,
    wallOff: 0,
    lease: leaseFirst,
    leaseBefore: leaseFirst,
    raised: none,
    quarantined: false,
    knew: '',
  });
  return {
    epoch: 1,
    logs: zeros.map(() => ''),
    copied: [...zeros],
    former: null,
    lease: leaseFirst,
    formerLease: -1,
    leaseRead: -1,
    due: scenario.keys.map(() => notAcked),
    nodes: asks.map(node),
    underWay: null,
    registry: asks.map(() => null),
    persisted: Array.from({ length: asks.length + 1 }, () => asks.map(() => registrationTicks + 1)),
    claimed: false,
    sinceLoss: seenCap(scenario),
    awaited: null,
  };
}

/** A copy whose fields and lists may be written to; what the lists hold is shared until it is copied too. */
export function copyWorld(world: World): World {
  return {
    ...world,
    logs: [...world.logs],
    copied: [...world.copied],
    due: [...world.due],
    nodes: [...world.nodes],
    registry: [...world.registry],
    persisted: [...world.persisted],
  };
}

/** Heads are never changed once they are taken, so they stay shared. */
export function copyNode(node: Node): Node {
  return {
    ...node,
    seqs: [...node.seqs],
    bases: [...node.bases],
    asks: node.asks.map((ask) => ({ ...ask })),
  };
}

const textOfHeads = (heads: Heads | null): string =>
  heads === null ? '' : `${heads.epoch}:${heads.seqs.join('.')}@${heads.ages.join('.')}`;

function textOfNode(node: Node): string {
  const asks = node.asks.map(
    ({ relay, p0, early, answer }) => `${relay}-${p0}-${textOfHeads(early)}-${textOfHeads(answer)}`,
  );
  // Which of two asks was sent first shows in their ages alone.
  asks.sort();
  const { epoch, seqs, facts, bases, dropped, half, wallOff, lease, leaseBefore, raised } = node;
  return `${epoch};${seqs.join('.')};${facts};${bases.join('.')};${dropped};${half ? 1 : 0};${wallOff};${lease};${leaseBefore};${raised};${node.quarantined ? 1 : 0};${node.knew};${asks.join(',')}`;
}

/** Two states with the same text have the same future. */
export function textOfWorld(world: World): string {
  const registry = world.registry.map((row) => (row === null ? '' : `${row.seen}${row.reported ? 'r' : ''}`));
  return [
    world.epoch,
    world.logs.join('.'),
    world.copied.join('.'),
    world.former === null ? '-' : world.former.join('.'),
    `${world.lease}.${world.formerLease}.${world.leaseRead}`,
    world.due.join('.'),
    world.nodes.map(textOfNode).join('/'),
    textOfHeads(world.underWay),
    registry.join('.'),
    world.persisted.join('.'),
    `${world.claimed ? 1 : 0}.${world.sinceLoss}`,
    world.awaited === null ? '-' : world.awaited.join('.'),
  ].join('|');
}

import type { Flaw } from './flaws.ts';
import type { PromiseName } from './verdict.ts';
import type { Fault, Scenario } from './world.ts';

/* Small worlds, each with what one part of the protocol is about. Bounds are what keeps a search in seconds. */

interface Sketch extends Partial<Omit<Scenario, 'name' | 'can'>> {
  readonly can: readonly Fault[];
}

/** One key whose revocation is `r`, one shard, one verifier on the authority, L of two ticks. */
function scenario(name: string, { can, ...sketch }: Sketch): Scenario {
  return {
    name,
    shards: 1,
    changes: [{ id: 'r', shard: 0 }],
    keys: [{ revokedBy: 'r', shards: [0] }],
    leaseFirst: 2,
    leaseMax: 2,
    asks: [[0]],
    asksMax: 1,
    ...sketch,
    can: new Set(can),
  };
}

const twoRows = [
  { id: 'n', shard: 0 },
  { id: 'r', shard: 0 },
];
const twoShards = [
  { id: 'r', shard: 0 },
  { id: 's', shard: 1 },
];
const twoKeys = [
  { revokedBy: 'r', shards: [0] },
  { revokedBy: 's', shards: [1] },
];
/** The key in shard 0, its keyspace in shard 1: raised (or lowered) once. */
const keyAndKeyspace = [{ revokedBy: 'r', shards: [0, 1] }];

export const scenarios = {
  one: scenario('one verifier', { changes: twoRows, asksMax: 2, can: ['pause'] }),
  tables: scenario('snapshots and restarts', { changes: twoRows, asksMax: 2, can: ['snapshot', 'restart'] }),
  clocks: scenario('clocks that sleep', { asksMax: 2, can: ['sleep', 'pause'] }),
  wall: scenario('a wall clock that is set back', { leaseMax: 4, can: ['wallBack'] }),
  shards: scenario('two revocations in two shards', {
    shards: 2,
    changes: twoShards,
    keys: twoKeys,
    can: ['snapshot'],
  }),
  chain: scenario('a chained relay', { leaseFirst: 1, leaseMax: 1, asks: [[0], [0, 1]], can: ['restart'] }),
  poison: scenario('a chained relay with a row that it can not read', {
    leaseFirst: 1,
    leaseMax: 1,
    shards: 2,
    asks: [[0], [1]],
    can: ['poison'],
  }),
  quarantine: scenario('a row that a verifier can not read', {
    leaseFirst: 1,
    leaseMax: 1,
    shards: 2,
    asksMax: 2,
    can: ['poison'],
  }),
  failover: scenario('a failover', { leaseFirst: 1, leaseMax: 1, changes: twoRows, can: ['failover'] }),
  epochs: scenario('a failover with snapshots', {
    leaseFirst: 1,
    leaseMax: 1,
    can: ['failover', 'snapshot'],
  }),
  wait: scenario('effective, on the authority', { can: ['wait', 'snapshot', 'restart'] }),
  waitLoss: scenario('effective, across a failover', {
    leaseFirst: 1,
    leaseMax: 1,
    can: ['wait', 'failover', 'snapshot'],
  }),
  waitChain: scenario('effective, through a chained relay', {
    leaseFirst: 1,
    leaseMax: 1,
    asks: [[0], [1]],
    can: ['wait'],
  }),
  raise: scenario('a lease that is raised', {
    shards: 2,
    changes: [
      { id: 'r', shard: 0 },
      { id: 'u', shard: 1, lease: 3 },
    ],
    keys: keyAndKeyspace,
    leaseFirst: 1,
    leaseMax: 3,
    can: ['restart'],
  }),
  lower: scenario('a lease that is lowered', {
    shards: 2,
    changes: [
      { id: 'r', shard: 0 },
      { id: 'l', shard: 1, lease: 1 },
    ],
    keys: keyAndKeyspace,
    leaseFirst: 3,
    leaseMax: 3,
    can: ['wait'],
  }),
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

/** Where each flaw has to show, and which promise it breaks there. */
export const shownBy = {
  heartbeatRenews: { where: 'one', breaks: 'bound' },
  baseAtAnswer: { where: 'one', breaks: 'bound' },
  wallClockOnly: { where: 'wall', breaks: 'bound' },
  jumpIgnored: { where: 'clocks', breaks: 'bound' },
  skipsHoles: { where: 'one', breaks: 'bound' },
  snapshotWithHole: { where: 'tables', breaks: 'bound' },
  clockBeforeTable: { where: 'one', breaks: 'bound' },
  joinsReadUnderWay: { where: 'one', breaks: 'bound' },
  behindKeepsLease: { where: 'tables', breaks: 'bound' },
  dropCountsOldBases: { where: 'tables', breaks: 'refusal' },
  diskStartsFresh: { where: 'tables', breaks: 'bound' },
  epochIgnored: { where: 'failover', breaks: 'bound' },
  chainAgeOmitted: { where: 'chain', breaks: 'bound' },
  chainHeadsBeforeAge: { where: 'chain', breaks: 'bound' },
  quarantineAgeAsOne: { where: 'poison', breaks: 'bound' },
  quarantineRenewed: { where: 'poison', breaks: 'bound' },
  olderAnswerUnfreezes: { where: 'quarantine', breaks: 'bound' },
  raiseAtOnce: { where: 'raise', breaks: 'bound' },
  leaseReadBeforeWrite: { where: 'raise', breaks: 'bound' },
  formerLeaseForgotten: { where: 'lower', breaks: 'bound' },
  fenceForgetsFormerLease: { where: 'lower', breaks: 'claim' },
  registersAfterGrant: { where: 'wait', breaks: 'claim' },
  registersBesideHeadRead: { where: 'wait', breaks: 'claim' },
  registeredAtCommit: { where: 'wait', breaks: 'claim' },
  registryReadOnce: { where: 'waitChain', breaks: 'claim' },
  lostRegistryTrusted: { where: 'waitLoss', breaks: 'claim' },
  demotedAnswers: { where: 'epochs', breaks: 'bound' },
  lossWithoutEpoch: { where: 'failover', breaks: 'bound' },
  sleepAndStepTogether: { where: 'clocks', breaks: 'bound' },
} as const satisfies Record<Flaw, { readonly where: ScenarioName; readonly breaks: PromiseName }>;

/*
 * Ways to build the protocol wrongly. Each is a switch of the model, and the scenario it names has to show a
 * counterexample with the switch on and none with it off. The last group are not faults of ours but things that
 * are relied on (SPEC.md, "What is relied on"): with each gone the promise is gone, which is why they are named.
 */

export const flaws = {
  heartbeatRenews: 'a pushed heartbeat renews the lease',
  baseAtAnswer: 'the base is the instant of the answer, not that of the question',
  wallClockOnly: 'age is counted on the wall clock alone, which can be set back',
  jumpIgnored: 'a disagreement of the clocks drops no lease',
  skipsHoles: 'a row moves the position over a hole',
  snapshotWithHole:
    'a snapshot says it ends at the heads and leaves out what was committed while it was streamed',
  clockBeforeTable: 'the clock is read before the table',
  joinsReadUnderWay: 'an ask joins a read of the heads that began before it came',
  behindKeepsLease: 'a snapshot that is behind is swapped in and the lease is kept',
  dropCountsOldBases: 'after a drop, an answer counts whose base is no later than the drop',
  diskStartsFresh: 'a snapshot from disk starts with a lease',
  epochIgnored: 'positions of different epochs are compared with each other',
  chainAgeOmitted: 'a chained relay answers its own heads as if they had just been read',
  chainHeadsBeforeAge: 'a chained relay takes its heads when asked and its age when it answers',
  quarantineAgeAsOne: 'a chained relay with a quarantined shard tells the age of its healthy shards for all',
  quarantineRenewed: 'a quarantined shard is renewed together with the others',
  olderAnswerUnfreezes:
    'an answer too old to renew ends the quarantine of a shard whose row it does not name',
  raiseAtOnce: 'a raised lease counts at once',
  leaseReadBeforeWrite: 'effective_by is reckoned from a lease that was read before the write',
  formerLeaseForgotten: 'effective_by forgets that a longer lease from before still runs',
  fenceForgetsFormerLease:
    'a silent verifier is taken for fenced by the lease of now, not by the longer one before',
  registersAfterGrant: 'a verifier is registered after its lease was granted',
  registersBesideHeadRead: 'a verifier is registered before the grant but after the heads were read',
  registeredAtCommit: 'the second of a registration counts from its reply, and not from before it was sent',
  registryReadOnce: 'the registry is read once, and only the reports of those found in it are awaited',
  lostRegistryTrusted: 'after a failover that may have lost registrations, effective is claimed as ever',
  demotedAnswers: 'relied on: a demoted primary answers no heads',
  lossWithoutEpoch: 'relied on: a failover that may lose commits raises the epoch',
  sleepAndStepTogether: 'relied on: the wall clock runs on while the monotonic clock stands',
} as const;

export type Flaw = keyof typeof flaws;

import { type Step, step } from './primary-steps.ts';
import { change, dropLease } from './verifier-steps.ts';
import type { Ask, Heads, Node, Protocol, World } from './world.ts';
import { ageCap, registrationTicks } from './world.ts';

/* Asking for the heads, answering, and what an answer does to a lease. */

export function* leaseSteps(protocol: Protocol, world: World, at: number): Generator<Step> {
  const { flaw } = protocol;
  const node = world.nodes[at];
  if (node === undefined) return;
  for (const [which, ask] of node.asks.entries()) {
    if (ask.answer === null) yield* relaySteps(protocol, world, { at, which, ask });
    else if (flaw === 'registersBesideHeadRead') yield* registration(protocol, world, { at, which, ask });
    if (ask.answer !== null && !node.half) yield* delivery(protocol, world, { at, which, ask });
  }
  if (node.half) return;
  yield* asking(protocol, world, at);
  if (node.wallOff !== 0 && flaw !== 'wallClockOnly' && flaw !== 'jumpIgnored') {
    yield change(`V${at + 1} sees its clocks disagree and drops its lease`, world, at, (next) => {
      dropLease(protocol, next);
    });
  }
  if (flaw === 'heartbeatRenews') {
    yield change(`a heartbeat reaches V${at + 1}`, world, at, (next) => {
      next.bases = next.bases.map(() => 0);
    });
  }
}

/** With as many in flight as there may be, one of them is taken for lost: it could as well never arrive. */
function* asking({ scenario }: Protocol, world: World, at: number): Generator<Step> {
  const open = world.nodes[at]?.asks.length ?? 0;
  const evicted = open < scenario.asksMax ? [-1] : Array.from({ length: open }, (_, which) => which);
  for (const relay of scenario.asks[at] ?? []) {
    for (const gone of evicted) {
      const label = `V${at + 1} asks ${nameOf(relay)} for the heads${gone < 0 ? '' : '; one before is lost'}`;
      yield change(label, world, at, (next) => {
        next.asks = next.asks.filter((_, which) => which !== gone);
        next.asks.push({ relay, p0: 0, early: null, answer: null });
      });
    }
  }
}

interface AskAt {
  readonly at: number;
  readonly which: number;
  readonly ask: Ask;
}

function nameOf(relay: number): string {
  return relay === 0 ? 'the authority' : `the relay in V${relay}`;
}

function headsOfPrimary(world: World): Heads {
  return { epoch: world.epoch, seqs: world.logs.map((log) => log.length), ages: world.logs.map(() => 0) };
}

function* relaySteps(protocol: Protocol, world: World, asked: AskAt): Generator<Step> {
  const { scenario, flaw } = protocol;
  const { at, which, ask } = asked;
  const { relay } = ask;
  const relayNode = relay === 0 ? undefined : world.nodes[relay - 1];
  if (relayNode?.half) return;
  yield* registration(protocol, world, asked);
  if (flaw === 'chainHeadsBeforeAge' && relayNode !== undefined && ask.early === null) {
    yield change(`${nameOf(relay)} takes its heads for V${at + 1}`, world, at, (next) => {
      const open = next.asks[which];
      if (open) open.early = { epoch: relayNode.epoch, seqs: [...relayNode.seqs], ages: [] };
    });
    return;
  }
  const early = flaw === 'registersAfterGrant' || flaw === 'registersBesideHeadRead';
  const registered = (world.persisted[relay]?.[at] ?? Number.POSITIVE_INFINITY) <= registrationTicks;
  if (scenario.can.has('wait') && !registered && !early) return;
  for (const heads of answersOf(protocol, world, ask)) {
    const said = `${heads.epoch}:${heads.seqs.join('.')}, age ${heads.ages.join('.')}`;
    yield change(`${nameOf(relay)} answers V${at + 1}: heads ${said}`, world, at, (next) => {
      const open = next.asks[which];
      if (open === undefined) return;
      open.answer = heads;
      open.early = null;
    });
  }
}

/** A relay writes down whom it is about to grant a lease, when it has to: sooner would only put off a fence. */
function* registration({ scenario, flaw }: Protocol, world: World, { at, ask }: AskAt): Generator<Step> {
  const { relay } = ask;
  const since = world.persisted[relay]?.[at] ?? 0;
  if (!scenario.can.has('wait') || since <= registrationTicks) return;
  const seen = flaw === 'registeredAtCommit' ? registrationTicks + 1 : 0;
  yield step(`${nameOf(relay)} has V${at + 1} registered as seen ${seen} ticks ago`, world, (next) => {
    const row = next.registry[at] ?? { seen, reported: false };
    next.registry[at] = { ...row, seen: Math.min(row.seen, seen) };
    next.persisted[relay] = world.persisted[relay]?.map((age, other) => (other === at ? 0 : age)) ?? [];
  });
}

/** What the relay may answer now: none, if it has no lease of its own. */
function answersOf({ scenario, flaw }: Protocol, world: World, ask: Ask): Heads[] {
  if (ask.relay === 0) {
    const answers = [headsOfPrimary(world)];
    if (flaw === 'joinsReadUnderWay' && world.underWay !== null) answers.push(world.underWay);
    if (flaw === 'demotedAnswers' && world.former !== null) {
      answers.push({ ...headsOfPrimary(world), epoch: 1, seqs: world.former.map((log) => log.length) });
    }
    return answers;
  }
  const relay = world.nodes[ask.relay - 1];
  const none = ageCap(scenario);
  if (relay === undefined || relay.wallOff !== 0 || relay.bases.every((age) => age >= none)) return [];
  const { epoch, seqs } = ask.early ?? relay;
  return [{ epoch, seqs: [...seqs], ages: agesTold(relay, flaw) }];
}

function agesTold({ bases }: Node, flaw: Protocol['flaw']): number[] {
  if (flaw === 'chainAgeOmitted') return bases.map(() => 0);
  if (flaw === 'quarantineAgeAsOne') return bases.map(() => Math.min(...bases));
  return [...bases];
}

/** The answer arrives, and everything up to it is applied. It stays: it may arrive again. */
function* delivery(protocol: Protocol, world: World, { at, ask }: AskAt): Generator<Step> {
  const { scenario, flaw } = protocol;
  const node = world.nodes[at];
  const { answer } = ask;
  if (node === undefined || answer === null) return;
  if (answer.epoch !== node.epoch && flaw !== 'epochIgnored') return;
  if (node.wallOff !== 0 && flaw !== 'wallClockOnly' && flaw !== 'jumpIgnored') return;
  const exempt = (shard: number) => node.quarantined && shard === 0;
  const applied = answer.seqs.every((seq, shard) => exempt(shard) || (node.seqs[shard] ?? 0) >= seq);
  if (!applied) return;
  const granted = (world.persisted[ask.relay]?.[at] ?? 0) <= registrationTicks;
  if (flaw === 'registersBesideHeadRead' && !granted) return;
  yield change(`V${at + 1} is applied up to ${answer.seqs.join('.')}: renewed`, world, at, (next) => {
    next.bases = next.bases.map((base, shard) => {
      if (exempt(shard) && flaw !== 'quarantineRenewed') return base;
      const asked = flaw === 'baseAtAnswer' ? 0 : ask.p0;
      const wallOff = flaw === 'wallClockOnly' ? next.wallOff : 0;
      const age = Math.min(ageCap(scenario), asked + (answer.ages[shard] ?? 0) - wallOff);
      return age < next.dropped || flaw === 'dropCountsOldBases' ? Math.min(base, age) : base;
    });
    const named = (answer.seqs[0] ?? 0) > (next.seqs[0] ?? 0);
    if (flaw === 'olderAnswerUnfreezes' && !named) next.bases.fill(Math.min(...next.bases));
  });
}

/** A faulty relay's read of the heads, which later asks may join. */
export function* readsUnderWay({ flaw }: Protocol, world: World): Generator<Step> {
  if (flaw !== 'joinsReadUnderWay') return;
  yield step('the authority begins to read the heads', world, (next) => {
    next.underWay = headsOfPrimary(next);
  });
}

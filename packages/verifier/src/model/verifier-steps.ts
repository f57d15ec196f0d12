import { type Step, step } from './primary-steps.ts';
import { changeLease, leaseHolds, leaseOfFacts, tableSaysValid } from './verdict.ts';
import type { Node, Protocol, World } from './world.ts';
import { ageCap, copyNode } from './world.ts';

/* What may happen to the table of a verifier: rows, snapshots, a restart, a pause, a row that can't be read. */

export function* verifierSteps(protocol: Protocol, world: World, at: number): Generator<Step> {
  const { scenario } = protocol;
  const node = world.nodes[at];
  if (node === undefined) return;
  if (scenario.can.has('restart')) yield* restarts(protocol, world, at);
  if (node.half) {
    yield change(`V${at + 1} goes on`, world, at, (next) => {
      next.half = false;
    });
    return;
  }
  yield* rows(protocol, world, at);
  if (scenario.can.has('snapshot')) yield* snapshots(protocol, world, at);
  if (scenario.can.has('pause') && beginsVerdict(protocol, node)) {
    yield change(`V${at + 1} stops in the middle of a verification`, world, at, (next) => {
      next.half = true;
    });
  }
  const next = node.seqs[0] ?? 0;
  if (at === 0 && scenario.can.has('poison') && !node.quarantined && (world.logs[0]?.length ?? 0) > next) {
    yield change(`V${at + 1} can't read row ${next + 1} of shard 0`, world, at, (chosen) => {
      chosen.quarantined = true;
    });
  }
}

export function change(label: string, world: World, at: number, how: (node: Node) => void): Step {
  return step(label, world, (next) => {
    const node = next.nodes[at];
    if (node === undefined) return;
    const changed = copyNode(node);
    how(changed);
    next.nodes[at] = changed;
  });
}

function beginsVerdict(protocol: Protocol, node: Node): boolean {
  return protocol.scenario.keys.some((key) =>
    protocol.flaw === 'clockBeforeTable' ? leaseHolds(protocol, node, key) : tableSaysValid(node, key),
  );
}

interface History {
  readonly epoch: number;
  readonly logs: readonly string[];
}

/** Every log there was: a row of any of them may still be on its way. */
function histories(world: World): History[] {
  const now = { epoch: world.epoch, logs: world.logs };
  return world.former === null ? [now] : [now, { epoch: 1, logs: world.former }];
}

function applyFact(protocol: Protocol, world: World, node: Node, id: string): void {
  if (!node.facts.includes(id)) node.facts += id;
  // What a failover lost was never true; a verifier that heard of it may unlearn it.
  const kept = world.logs.some((log) => log.includes(id));
  const watched = protocol.scenario.keys.some((key) => key.revokedBy === id);
  if (watched && kept && !node.knew.includes(id)) node.knew += id;
  changeLease(protocol, node, leaseOfFacts(protocol.scenario, node.facts));
}

function* rows(protocol: Protocol, world: World, at: number): Generator<Step> {
  const { flaw } = protocol;
  const node = world.nodes[at];
  if (node === undefined) return;
  for (const { epoch, logs } of histories(world)) {
    if (epoch !== node.epoch && flaw !== 'epochIgnored') continue;
    for (const [shard, log] of logs.entries()) {
      if (node.quarantined && shard === 0) continue;
      const next = node.seqs[shard] ?? 0;
      const last = flaw === 'skipsHoles' ? log.length : Math.min(log.length, next + 1);
      for (let seq = next + 1; seq <= last; seq += 1) {
        const id = log[seq - 1] ?? '';
        yield change(`V${at + 1} applies row ${seq} of shard ${shard}: '${id}'`, world, at, (chosen) => {
          chosen.seqs[shard] = seq;
          applyFact(protocol, world, chosen, id);
        });
      }
    }
  }
}

/** Every combination of positions up to these. */
function positionsUpTo(seqs: readonly number[]): number[][] {
  return seqs.reduce<number[][]>(
    (found, seq) =>
      found.flatMap((begun) => Array.from({ length: seq + 1 }, (_, length) => [...begun, length])),
    [[]],
  );
}

function prefixes(logs: readonly string[], seqs: readonly number[]): string {
  return logs.map((log, shard) => log.slice(0, seqs[shard])).join('');
}

function* snapshots(protocol: Protocol, world: World, at: number): Generator<Step> {
  const { scenario, flaw } = protocol;
  const node = world.nodes[at];
  if (node === undefined) return;
  for (const { epoch, logs } of histories(world)) {
    // Whoever answers an older epoch lives in a past that this verifier has left.
    if (epoch < node.epoch) continue;
    for (const seqs of positionsUpTo(logs.map((log) => log.length))) {
      const sameEpoch = epoch === node.epoch;
      if (sameEpoch && seqs.every((seq, shard) => seq === node.seqs[shard])) continue;
      const behind = !sameEpoch || seqs.some((seq, shard) => seq < (node.seqs[shard] ?? 0));
      const holes = flaw === 'snapshotWithHole' ? seqs.map((seq) => Math.max(0, seq - 1)) : seqs;
      const label = `V${at + 1} swaps in a snapshot at ${epoch}:${seqs.join('.')}${behind ? ', which is behind' : ''}`;
      yield change(label, world, at, (chosen) => {
        chosen.epoch = epoch;
        chosen.seqs = seqs;
        chosen.facts = '';
        for (const id of prefixes(logs, holes)) applyFact(protocol, world, chosen, id);
        changeLease(protocol, chosen, leaseOfFacts(scenario, chosen.facts));
        if (behind && flaw !== 'behindKeepsLease') dropLease(protocol, chosen);
      });
    }
  }
}

export function dropLease({ scenario }: Protocol, node: Node): void {
  node.bases = node.bases.map(() => ageCap(scenario));
  node.dropped = 0;
  node.wallOff = 0;
}

/** The process is killed and comes back with whatever snapshot was on its disk; answers to it are lost. */
function* restarts(protocol: Protocol, world: World, at: number): Generator<Step> {
  const { scenario, flaw } = protocol;
  const node = world.nodes[at];
  const history = histories(world).find(({ epoch }) => epoch === node?.epoch);
  if (node === undefined || history === undefined) return;
  for (const seqs of positionsUpTo(node.seqs)) {
    const label = `V${at + 1} is killed and starts from a disk snapshot at ${node.epoch}:${seqs.join('.')}`;
    yield change(label, world, at, (chosen) => {
      chosen.seqs = seqs;
      chosen.facts = prefixes(history.logs, seqs);
      chosen.half = false;
      chosen.asks = [];
      chosen.quarantined = false;
      dropLease(protocol, chosen);
      chosen.lease = leaseOfFacts(scenario, chosen.facts);
      const changed = scenario.changes.some(
        ({ id, lease }) => lease !== undefined && chosen.facts.includes(id),
      );
      chosen.leaseBefore = changed ? Math.min(1, chosen.lease) : chosen.lease;
      chosen.raised = changed ? 0 : ageCap(scenario);
      if (flaw === 'diskStartsFresh') chosen.bases = chosen.bases.map(() => 0);
    });
  }
}

import type { Protocol, World } from './world.ts';
import { copyWorld, notAcked, registrationTicks, seenCap } from './world.ts';

/* What the primary, its standby and whoever waits for `?wait=effective` may do next. */

export interface Step {
  readonly label: string;
  readonly world: World;
}

export function step(label: string, world: World, change: (next: World) => void): Step {
  const next = copyWorld(world);
  change(next);
  return { label, world: next };
}

export function* primarySteps(protocol: Protocol, world: World): Generator<Step> {
  const { scenario, flaw } = protocol;
  yield* writes(protocol, world);
  yield* acks(protocol, world);
  if (flaw === 'leaseReadBeforeWrite' && world.leaseRead !== world.lease && world.due[0] === notAcked) {
    yield step(`the writer reads L = ${world.lease}`, world, (next) => {
      next.leaseRead = next.lease;
    });
  }
  if (scenario.can.has('failover') && world.former === null) yield* failovers(protocol, world);
  if (scenario.can.has('wait')) yield* waits(protocol, world);
}

function* writes({ scenario, flaw }: Protocol, world: World): Generator<Step> {
  for (const { id, shard, lease } of scenario.changes) {
    if (world.logs[shard]?.includes(id)) continue;
    if (flaw === 'leaseReadBeforeWrite' && lease === undefined && world.leaseRead < 0) continue;
    yield step(`the primary commits '${id}' in shard ${shard}`, world, (next) => {
      next.logs[shard] += id;
      if (!scenario.can.has('failover')) next.copied[shard] = next.logs[shard]?.length ?? 0;
      if (lease === undefined) return;
      if (lease < next.lease) next.formerLease = Math.max(next.formerLease, next.lease);
      next.lease = lease;
    });
  }
}

function* acks({ scenario, flaw }: Protocol, world: World): Generator<Step> {
  for (const [shard, log] of world.logs.entries()) {
    if ((world.copied[shard] ?? 0) < log.length) {
      yield step(`the standby has shard ${shard}`, world, (next) => {
        next.copied[shard] = log.length;
      });
    }
  }
  for (const [which, { revokedBy }] of scenario.keys.entries()) {
    const durable = world.logs.some(
      (log, shard) => log.includes(revokedBy) && log.indexOf(revokedBy) < (world.copied[shard] ?? 0),
    );
    if (!durable || world.due[which] !== notAcked) continue;
    const lease = flaw === 'leaseReadBeforeWrite' ? world.leaseRead : world.lease;
    const due = flaw === 'formerLeaseForgotten' ? lease : Math.max(lease, world.formerLease);
    yield step(`'${revokedBy}' is acknowledged, effective_by in ${due}`, world, (next) => {
      next.due[which] = due;
    });
  }
}

function* failovers({ scenario, flaw }: Protocol, world: World): Generator<Step> {
  const lost = world.logs.some((log, shard) => (world.copied[shard] ?? 0) < log.length);
  if (!lost) {
    yield step('the standby takes over with every commit', world, (next) => {
      next.former = [...world.logs];
    });
  }
  yield step(`the standby takes over${lost ? ' without the last commits' : ''}`, world, (next) => {
    next.former = [...world.logs];
    next.logs = world.logs.map((log, shard) => log.slice(0, world.copied[shard]));
    if (flaw !== 'lossWithoutEpoch') next.epoch += 1;
    next.sinceLoss = 0;
    const kept = next.logs.join('');
    next.nodes = world.nodes.map((node) => ({
      ...node,
      knew: [...node.knew].filter((id) => kept.includes(id)).join(''),
    }));
    // The registry is written by the same commits, and may be lost with them.
    next.registry = scenario.asks.map(() => null);
  });
}

function* waits({ scenario, flaw }: Protocol, world: World): Generator<Step> {
  const [first] = scenario.keys;
  for (const [at, row] of world.registry.entries()) {
    const knew = first !== undefined && world.nodes[at]?.knew.includes(first.revokedBy);
    if (row === null || row.reported || !knew) continue;
    yield step(`a report of V${at + 1} reaches the registry: applied`, world, (next) => {
      next.registry[at] = { ...row, reported: true };
    });
  }
  if (world.claimed || world.due[0] === notAcked) return;
  const fencedAfter = registrationTicks + world.lease;
  if (
    world.sinceLoss <= fencedAfter &&
    world.sinceLoss < seenCap(scenario) &&
    flaw !== 'lostRegistryTrusted'
  ) {
    return;
  }
  const formerOver = world.formerLease < 0 || flaw === 'fenceForgetsFormerLease';
  const open = world.registry.flatMap((row, at) =>
    row === null || row.reported || (row.seen > fencedAfter && formerOver) ? [] : [at],
  );
  if (flaw === 'registryReadOnce' && world.awaited === null) {
    yield step(`the acker reads the registry: waits for ${open.length}`, world, (next) => {
      next.awaited = open;
    });
    return;
  }
  const waiting = world.awaited?.filter((at) => open.includes(at)) ?? open;
  if (waiting.length > 0) return;
  yield step('the acker reads the registry: effective everywhere', world, (next) => {
    next.claimed = true;
  });
}

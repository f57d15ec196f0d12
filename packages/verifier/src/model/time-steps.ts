import { type Step, step } from './primary-steps.ts';
import { change } from './verifier-steps.ts';
import type { Protocol, World } from './world.ts';
import { ageCap, notAcked, registrationTicks, seenCap } from './world.ts';

/* Time passes for all alike, except for a machine that sleeps; and somebody may set a wall clock back. */

const wallOffMax = 2;

export function* timeSteps(protocol: Protocol, world: World): Generator<Step> {
  const { scenario, flaw } = protocol;
  yield step('a tick', world, (next) => pass(protocol, next));
  for (const at of world.nodes.keys()) {
    if (scenario.can.has('sleep')) {
      yield step(`a tick, and the machine of V${at + 1} sleeps through it`, world, (next) => {
        pass(protocol, next, at);
        const node = next.nodes[at];
        if (node && flaw !== 'sleepAndStepTogether') node.wallOff = Math.min(wallOffMax, node.wallOff + 1);
      });
    }
    if (scenario.can.has('wallBack') && (world.nodes[at]?.wallOff ?? 0) > -wallOffMax) {
      yield change(`the wall clock of V${at + 1} is set back`, world, at, (node) => {
        node.wallOff -= 1;
      });
    }
  }
}

function pass({ scenario }: Protocol, world: World, asleep?: number): void {
  const cap = ageCap(scenario);
  const older = (age: number) => Math.min(cap, age + 1);
  world.nodes = world.nodes.map((node, at) =>
    at === asleep
      ? { ...node }
      : {
          ...node,
          bases: node.bases.map(older),
          dropped: older(node.dropped),
          raised: older(node.raised),
          asks: node.asks.map((ask) => ({ ...ask, p0: older(ask.p0) })),
        },
  );
  world.due = world.due.map((due) => (due === notAcked ? due : Math.max(-1, due - 1)));
  world.formerLease = Math.max(-1, world.formerLease - 1);
  world.sinceLoss = Math.min(seenCap(scenario), world.sinceLoss + 1);
  world.registry = world.registry.map(
    (row) => row && { ...row, seen: Math.min(seenCap(scenario), row.seen + 1) },
  );
  world.persisted = world.persisted.map((row) => row.map((age) => Math.min(registrationTicks + 1, age + 1)));
}

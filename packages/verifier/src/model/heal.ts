import type { Step } from './primary-steps.ts';
import { leaseHolds } from './verdict.ts';
import type { Node, Protocol, World } from './world.ts';

/*
 * No state is stale for ever. With the faults over, the plain course of things (who stood still goes on, clocks are
 * compared, a snapshot where the epoch has changed or a row can't be read, the missing rows, an ask, its answer)
 * has to bring every verifier to a fresh lease. Only steps that the model has are taken.
 */

export type StepsFrom = (protocol: Protocol, world: World) => Iterable<Step>;

/** `undefined`: every verifier became fresh. Otherwise who didn't. */
export function staleForEver(protocol: Protocol, world: World, stepsFrom: StepsFrom): string | undefined {
  const take = (from: World, wanted: (label: string) => boolean): World | undefined => {
    for (const { label, world: next } of stepsFrom(protocol, from)) if (wanted(label)) return next;
    return undefined;
  };
  let healed = world;
  // Asks that are sent after this count, whatever was dropped before.
  for (const at of world.nodes.keys()) {
    const name = `V${at + 1}`;
    const course = [`${name} goes on`, `${name} sees its clocks`, snapshotOf(name, healed, at)];
    for (const begin of course) healed = take(healed, (label) => label.startsWith(begin)) ?? healed;
  }
  healed = take(healed, (label) => label === 'a tick') ?? healed;
  for (const at of world.nodes.keys()) {
    const name = `V${at + 1}`;
    for (let next: World | undefined = healed; next !== undefined; ) {
      healed = next;
      next = take(healed, (label) => label.startsWith(`${name} applies row`));
    }
    for (const begin of [`${name} asks`, registered(name), answered(name), `${name} is applied up to`]) {
      healed = takeLast(stepsFrom(protocol, healed), begin) ?? healed;
    }
    const node = healed.nodes[at];
    if (node === undefined || !isFresh(protocol, node)) return `${name} stays stale`;
  }
  return undefined;
}

const answered = (name: string) => new RegExp(`answers ${name}: `);
const registered = (name: string) => new RegExp(`has ${name} registered`);

/** The last of them is that of the newest ask, and of the relay asked last. */
function takeLast(steps: Iterable<Step>, wanted: string | RegExp): World | undefined {
  let found: World | undefined;
  for (const { label, world } of steps) {
    if (typeof wanted === 'string' ? label.startsWith(wanted) : wanted.test(label)) found = world;
  }
  return found;
}

function snapshotOf(name: string, world: World, at: number): string {
  const left = world.nodes[at]?.epoch !== world.epoch || world.nodes[at]?.quarantined;
  const positions = world.logs.map((log) => log.length).join('.');
  return left ? `${name} swaps in a snapshot at ${world.epoch}:${positions}` : 'nothing';
}

function isFresh(protocol: Protocol, node: Node): boolean {
  return (
    protocol.scenario.keys.every((key) => leaseHolds(protocol, node, key)) && Math.max(...node.bases) === 0
  );
}

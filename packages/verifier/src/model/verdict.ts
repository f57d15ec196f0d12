import type { Flaw } from './flaws.ts';
import type { Node, Protocol, Scenario, Watched, World } from './world.ts';
import { ageCap } from './world.ts';

/** What a verifier would say now, and whether it may. */

function baseAge(node: Node, key: Watched): number {
  return Math.max(...key.shards.map((shard) => node.bases[shard] ?? Number.POSITIVE_INFINITY));
}

export function leaseInForce(node: Node, age: number, flaw: Flaw | undefined): number {
  return age < node.raised || flaw === 'raiseAtOnce' ? node.lease : node.leaseBefore;
}

/** The clock has been read: is the lease young enough? */
export function leaseHolds({ scenario, flaw }: Protocol, node: Node, key: Watched): boolean {
  const ownAge = baseAge(node, key);
  if (ownAge >= ageCap(scenario)) return false;
  if (flaw === 'wallClockOnly') return ownAge + node.wallOff <= node.lease;
  if (node.wallOff !== 0 && flaw !== 'jumpIgnored') return false;
  return ownAge <= leaseInForce(node, ownAge, flaw);
}

export function tableSaysValid(node: Node, key: Watched): boolean {
  return !node.facts.includes(key.revokedBy);
}

/** Would a verification that ends at this instant end in VALID? One that stood still is judged as it is resumed. */
function saysValid(protocol: Protocol, node: Node, key: Watched): boolean {
  if (!tableSaysValid(node, key)) return false;
  if (node.half && protocol.flaw === 'clockBeforeTable') return true;
  return leaseHolds(protocol, node, key);
}

/** What must never have been said before a VALID of the same key; the order of the invariants in SPEC.md. */
export const promises = {
  bound: 'after effective_by',
  claim: 'after it was claimed to be effective everywhere',
  refusal: 'after its own table had held the revocation',
} as const;

export type PromiseName = keyof typeof promises;

/** The safety of the protocol, asked in every state; of one promise or of all. */
export function breachOf(protocol: Protocol, world: World, only?: PromiseName): string | undefined {
  for (const [at, node] of world.nodes.entries()) {
    for (const [which, key] of protocol.scenario.keys.entries()) {
      if (!saysValid(protocol, node, key)) continue;
      const broken = {
        bound: world.due[which] === -1,
        claim: world.claimed && which === 0,
        refusal: node.knew.includes(key.revokedBy),
      };
      for (const name of ['bound', 'claim', 'refusal'] as const) {
        if (!broken[name] || (only !== undefined && only !== name)) continue;
        return `V${at + 1} says VALID of the key that '${key.revokedBy}' revoked, ${promises[name]}`;
      }
    }
  }
  return undefined;
}

/** The lease that the rows in this table leave the keyspace with. */
export function leaseOfFacts(scenario: Scenario, facts: string): number {
  let lease = scenario.leaseFirst;
  for (const id of facts) lease = scenario.changes.find((change) => change.id === id)?.lease ?? lease;
  return lease;
}

export function changeLease({ scenario, flaw }: Protocol, node: Node, lease: number): void {
  if (lease === node.lease) return;
  const inForce = leaseInForce(node, Math.max(...node.bases), flaw);
  node.lease = lease;
  node.leaseBefore = Math.min(lease, inForce);
  node.raised = lease > inForce ? 0 : ageCap(scenario);
}

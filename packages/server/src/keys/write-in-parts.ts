import { assert, Fault, shardOfHash } from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { type Refusal, refusalOf } from './key-terms.ts';

/*
 * A request of many items that stand in many shards takes a write for each shard: a part. Each part is atomic and keeps
 * its reply for itself, the request does not, so that what belongs to which part must not be thought out anew when the
 * request is sent again. By then a keyspace may be there that was not, or a right gone: an item that was refused would
 * have an effect by a replay, and the replies of a part would be read as those of other items.
 *
 * So all of it is settled once, before the first part, in a plan that is kept with the Idempotency-Key. A retry goes by
 * that plan: what was refused then is refused as it was, and what was left to a part is told by that part, or decided by
 * it now if it was never written.
 */

/** Settled before any write: why the item is refused, or the shard of the part that decides on it. */
export type ItemPlan = RefusedItem | PartItem;
export interface RefusedItem {
  readonly refused: Refusal;
}
export interface PartItem {
  readonly shard: number;
}

export function planOf<Found>(found: Found | Fault, shardOf: (found: Found) => number): ItemPlan {
  return found instanceof Fault ? { refused: refusalOf(found) } : { shard: shardOf(found) };
}

/**
 * Takes the Idempotency-Key for the whole request, before any part of it, and keeps the plan with it: another request with
 * the same key is refused here, and not part by part. Returns the plan to go by, which is the first one.
 */
export async function claimPlan<Plan>(
  ports: Pick<UseCasePorts, 'lanes' | 'shards'>,
  caller: Caller,
  plan: Plan,
  idempotency: IdempotencyScope | undefined,
): Promise<Plan> {
  if (idempotency === undefined) return plan;
  const ticket = idempotency.ticket<{ readonly plan: Plan }>();
  const { reply } = await ports.lanes.submit({
    shard: shardOfHash(ticket.keyHash, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: {},
    decide: () => ({ changes: [], reply: { plan } }),
    idempotency: ticket,
  });
  // Of a server that kept none, for the day that it is kept: better no answer than a second effect.
  if (reply?.plan === undefined) throw keptWithoutPlan();
  return reply.plan;
}

export interface Part<Item> {
  readonly shard: number;
  /** By the places of its items, and so never that of a part of others. */
  readonly name: string;
  readonly items: readonly Placed<Item>[];
}

export interface Placed<Item> {
  readonly item: Item;
  /** In the request. */
  readonly place: number;
}

/** All parts at once; a result for each item, in the order of the request. */
export async function writeInParts<Refused extends RefusedItem, Item extends PartItem, Result>(
  plan: readonly (Refused | Item)[],
  write: (part: Part<Item>) => Promise<readonly Result[]>,
): Promise<readonly (Refused | Result)[]> {
  const results: (Refused | Result | undefined)[] = [];
  const byShard = new Map<number, Placed<Item>[]>();
  for (const [place, item] of plan.entries()) {
    if ('refused' in item) results[place] = item;
    else {
      const items = byShard.get(item.shard) ?? [];
      byShard.set(item.shard, items);
      items.push({ item, place });
    }
  }
  const writes = [...byShard].map(async ([shard, items]) => {
    const name = `items ${items.map(({ place }) => place).join(' ')}`;
    const replies = await write({ shard, name, items });
    for (const [index, { place }] of items.entries()) results[place] = replies[index];
  });
  await Promise.all(writes);
  return plan.map((_, place) => {
    const result = results[place];
    assert(result !== undefined, 'every item of a request has a result');
    return result;
  });
}

function keptWithoutPlan(): Fault {
  return new Fault('idempotency_mismatch', {
    detail: 'The reply to this request was kept by an older server, in a form that does not tell enough.',
    field: 'Idempotency-Key',
  });
}

import { Fault } from '@keyswarm/core';
import { expect, test } from 'vitest';
import { defaultWorkspaceId } from '../access/named-ids.ts';
import { lastingManager } from '../access/testing/lasting-manager.ts';
import type { LaneReceipt, Lanes, LaneWrite } from '../lanes/lane-port.ts';
import { IdempotencyScope } from '../signing/idempotency.ts';
import { MasterKey } from '../signing/master-key.ts';
import { claimPlan, type ItemPlan, planOf, writeInParts } from './write-in-parts.ts';

const refused = planOf(new Fault('not_found', { detail: 'There is none.' }), () => 0);
const inShard = (shard: number): ItemPlan => planOf({}, () => shard);

test('results come in the order of the request, and a part is named by the places of its items', async () => {
  const names: string[] = [];
  const results = await writeInParts([inShard(3), refused, inShard(1), inShard(3)], async (part) => {
    names.push(part.name);
    return part.items.map(({ place }) => `${part.shard} ${place}`);
  });
  expect(results).toEqual(['3 0', refused, '1 2', '3 3']);
  expect(names).toEqual(['items 0 3', 'items 2']);
});

test('a request whose reply was kept without a plan is refused, and not planned anew', async () => {
  const caller = lastingManager({ workspaceId: defaultWorkspaceId });
  const request = {
    workspaceId: caller.workspaceId,
    callerId: caller.keyId,
    idempotencyKey: 'import-1',
    method: 'POST',
    path: '/v1/keys/import',
    body: {},
  };
  const random = { bytes: (length: number) => new Uint8Array(length) };
  const scope = new IdempotencyScope(request, new MasterKey(new Uint8Array(32)), random);
  const lanes: Lanes = {
    shardForNew: () => 0,
    async submit<Reply>({ idempotency: ticket }: LaneWrite<Reply>): Promise<LaneReceipt<Reply>> {
      if (ticket === undefined) throw new Error('a claim has a ticket');
      const former = scope.ticket<null>();
      return { ...ticket.open(former.seal({ reply: null, at: null })), replayed: true };
    },
  };
  await expect(claimPlan({ lanes, shards: 4 }, caller, [refused], scope)).rejects.toMatchObject({
    code: 'idempotency_mismatch',
  });
});

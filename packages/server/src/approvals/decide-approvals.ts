import {
  type ApprovalId,
  type ApprovalRecord,
  type ApprovalState,
  type Decider,
  decideApproval,
  Fault,
  shardOfHash,
  shardOfId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { requireAnywhere } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { type Refusal, refusalOf } from '../keys/key-terms.ts';
import type { LaneReceipt } from '../lanes/lane-port.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { ApprovalWrites, readsOfApprovals } from './approval-writes.ts';
import { findApproval } from './find-approval.ts';
import { issuersOf } from './issuers-of.ts';
import { type ApprovalFilter, selectApprovals } from './select-approvals.ts';

export interface DecideApprovals {
  readonly decision: 'approve' | 'deny';
  readonly which: { readonly ids: readonly ApprovalId[] } | { readonly filter: ApprovalFilter };
  readonly note?: string | undefined;
}

export type DecideResult = { readonly id: ApprovalId } & (
  | { readonly state: ApprovalState }
  | { readonly refused: Refusal }
);

export interface Decided {
  readonly results: readonly DecideResult[];
  /** More match the filter than one call decides. */
  readonly more: boolean;
}

interface Selected {
  readonly ids: readonly ApprovalId[];
  readonly more: boolean;
}

/**
 * Decides one request or a thousand. Each is decided or refused by itself, in a write for each shard that they stand in;
 * the request as a whole is not atomic and may be sent again: what is decided says so.
 */
export async function decideManyApprovals(
  ports: UseCasePorts,
  caller: Caller,
  wish: DecideApprovals,
  idempotency: IdempotencyScope | undefined,
): Promise<Decided> {
  requireAnywhere(caller, 'approvals:decide');
  const by: Decider = { keyId: caller.keyId, issuedBy: await issuersOf(ports, caller) };
  const { known, ...asked } = await selectFor(ports, caller, wish.which);
  const { ids, more } = idempotency === undefined ? asked : await claim(ports, caller, asked, idempotency);
  const results = new Map<ApprovalId, DecideResult>();
  const byShard = new Map<number, ApprovalRecord[]>();
  for (const id of ids) {
    const found = known.get(id) ?? (await findOrRefuse(ports, caller, id));
    if ('refused' in found) results.set(id, found);
    else {
      const shard = shardOfId(id, ports.shards);
      const group = byShard.get(shard) ?? [];
      byShard.set(shard, group);
      group.push(found);
    }
  }
  const writes = [...byShard].map(async ([shard, group]) => {
    for (const result of await decideIn(ports, caller, { shard, group, wish, by, idempotency }))
      results.set(result.id, result);
  });
  await Promise.all(writes);
  return { results: ids.flatMap((id) => results.get(id) ?? []), more };
}

/** What is asked for; those that a filter found need not be looked up once more. */
async function selectFor(
  ports: UseCasePorts,
  caller: Caller,
  which: DecideApprovals['which'],
): Promise<Selected & { readonly known: ReadonlyMap<ApprovalId, ApprovalRecord> }> {
  if ('ids' in which) return { ids: which.ids, more: false, known: new Map() };
  const { approvals, more } = await selectApprovals(ports, caller, which.filter);
  const known = new Map(approvals.map((approval) => [approval.id, approval]));
  return { ids: [...known.keys()], more, known };
}

/**
 * Takes the Idempotency-Key for the whole request, and keeps which requests it is about: what a filter finds is another
 * thing once they are decided, and a retry has to tell of the first ones.
 */
async function claim(
  ports: UseCasePorts,
  caller: Caller,
  asked: Selected,
  idempotency: IdempotencyScope,
): Promise<Selected> {
  const ticket = idempotency.ticket<Selected>();
  const receipt: LaneReceipt<Selected> = await ports.lanes.submit<Selected>({
    shard: shardOfHash(ticket.keyHash, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: {},
    decide: () => ({ changes: [], reply: asked }),
    idempotency: ticket,
  });
  return receipt.reply;
}

async function findOrRefuse(
  ports: UseCasePorts,
  caller: Caller,
  id: ApprovalId,
): Promise<ApprovalRecord | { readonly id: ApprovalId; readonly refused: Refusal }> {
  try {
    return (await findApproval(ports, caller, id, 'approvals:decide')).approval;
  } catch (error) {
    if (error instanceof Fault && !error.retryable) return { id, refused: refusalOf(error) };
    throw error;
  }
}

interface Part {
  readonly shard: number;
  readonly group: readonly ApprovalRecord[];
  readonly wish: DecideApprovals;
  readonly by: Decider;
  readonly idempotency: IdempotencyScope | undefined;
}

async function decideIn(
  ports: UseCasePorts,
  caller: Caller,
  { shard, group, wish, by, idempotency }: Part,
): Promise<readonly DecideResult[]> {
  const ticket = idempotency?.ticket<readonly DecideResult[]>(`shard ${shard}`);
  const receipt = await ports.lanes.submit<readonly DecideResult[]>({
    shard,
    weight: group.length,
    actor: actorOf(caller),
    reads: readsOfApprovals(group),
    decide(view, nowMs) {
      const writes = new ApprovalWrites(view, nowMs);
      const reply = group.map(({ id }) => decideItem(writes, id, { wish, by, nowMs }));
      return { changes: writes.changes, documents: writes.documents(), reply };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return receipt.reply;
}

function decideItem(
  writes: ApprovalWrites,
  id: ApprovalId,
  { wish, by, nowMs }: Pick<Part, 'wish' | 'by'> & { readonly nowMs: number },
): DecideResult {
  const { decision, note } = wish;
  try {
    const before = writes.read(id);
    const after = decideApproval(before, { decision, by, note }, nowMs);
    const event = decision === 'approve' ? 'approval.approved' : 'approval.denied';
    writes.put(before, after, { event, actor: by.keyId });
    return { id, state: after.state };
  } catch (error) {
    if (error instanceof Fault) return { id, refused: refusalOf(error) };
    throw error;
  }
}

import {
  type ApprovalId,
  type ApprovalRecord,
  type ApprovalState,
  type Decider,
  decideApproval,
  Fault,
  shardOfId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { requireAnywhere } from '../access/grants.ts';
import { orFault } from '../access/or-fault.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { type Refusal, refusalOf } from '../keys/key-terms.ts';
import {
  claimPlan,
  type ItemPlan,
  type Part,
  type PartItem,
  planOf,
  type RefusedItem,
  writeInParts,
} from '../keys/write-in-parts.ts';
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

interface Named {
  readonly id: ApprovalId;
}

export type DecideResult = Named & ({ readonly state: ApprovalState } | { readonly refused: Refusal });

export interface Decided {
  readonly results: readonly DecideResult[];
  /** More match the filter than one call decides. */
  readonly more: boolean;
}

type PlannedApproval = Named & ItemPlan;

/** What was asked for when the request came first: what a filter finds is another thing once that is decided. */
interface Plan {
  readonly items: readonly PlannedApproval[];
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
  const { ids, more, known } = await selectFor(ports, caller, wish.which);
  const find = finderOf(ports, caller, known);
  const items: PlannedApproval[] = [];
  for (const id of ids) items.push({ id, ...planOf(await find(id), () => shardOfId(id, ports.shards)) });
  const plan = await claimPlan<Plan>(ports, caller, { items, more }, idempotency);
  const results = await writeInParts<Named & RefusedItem, Named & PartItem, DecideResult>(
    plan.items,
    (part) => decideIn(ports, caller, { part, find, wish, by, idempotency }),
  );
  return { results, more: plan.more };
}

/** What is asked for; those that a filter found need not be looked up once more. */
async function selectFor(
  ports: UseCasePorts,
  caller: Caller,
  which: DecideApprovals['which'],
): Promise<{
  readonly ids: readonly ApprovalId[];
  readonly more: boolean;
  readonly known: readonly ApprovalRecord[];
}> {
  if ('ids' in which) return { ids: which.ids, more: false, known: [] };
  const { approvals, more } = await selectApprovals(ports, caller, which.filter);
  return { ids: approvals.map(({ id }) => id), more, known: approvals };
}

interface Looked extends Named {
  readonly found: ApprovalRecord | Fault;
}
type Find = (id: ApprovalId) => Promise<Looked['found']>;

/** Looks each one up once. */
function finderOf(ports: UseCasePorts, caller: Caller, known: readonly ApprovalRecord[]): Find {
  const found = new Map<ApprovalId, Looked['found']>(known.map((one) => [one.id, one]));
  const look = async (id: ApprovalId) => (await findApproval(ports, caller, id, 'approvals:decide')).approval;
  return async (id) => {
    const one = found.get(id) ?? (await orFault(look(id)));
    found.set(id, one);
    return one;
  };
}

interface DecidedPart {
  readonly part: Part<Named & PartItem>;
  /** As of now: what the plan left to this part may be refused by the time that it is written. */
  readonly find: Find;
  readonly wish: DecideApprovals;
  readonly by: Decider;
  readonly idempotency: IdempotencyScope | undefined;
}

async function decideIn(
  ports: UseCasePorts,
  caller: Caller,
  { part, find, wish, by, idempotency }: DecidedPart,
): Promise<readonly DecideResult[]> {
  const { shard, name, items } = part;
  const group: Looked[] = [];
  for (const { item } of items) group.push({ id: item.id, found: await find(item.id) });
  const ticket = idempotency?.ticket<readonly DecideResult[]>(name);
  const receipt = await ports.lanes.submit<readonly DecideResult[]>({
    shard,
    weight: group.length,
    actor: actorOf(caller),
    reads: readsOfApprovals(group.flatMap(({ found }) => (found instanceof Fault ? [] : [found]))),
    decide(view, nowMs) {
      const writes = new ApprovalWrites(view, nowMs);
      const reply = group.map((one) => decideItem(writes, one, { wish, by, nowMs }));
      return { changes: writes.changes, documents: writes.documents(), reply };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return receipt.reply;
}

function decideItem(
  writes: ApprovalWrites,
  { id, found }: Looked,
  { wish, by, nowMs }: Pick<DecidedPart, 'wish' | 'by'> & { readonly nowMs: number },
): DecideResult {
  const { decision, note } = wish;
  try {
    if (found instanceof Fault) throw found;
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

import {
  assert,
  builtinKeyspaceName,
  type Campaign,
  campaignStages,
  enforceOn,
  isSamePlace,
  type KeyId,
  type KeyOutcome,
  type KeyRecord,
  progressIn,
  type ShardProgress,
  stageRanks,
  takeKey,
  underKeyspace,
  underOwner,
} from '@keyswarm/core';
import { mayGrant } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { keyEventData } from '../keys/key-terms.ts';
import type { Actor, Change, LaneView } from '../lanes/lane-port.ts';
import { bodyOfProgress, progressIdOf, progressOf, put } from './campaign-documents.ts';

/*
 * One chunk: the next keys of one shard and where the journal stands after them, in one transaction. What is read
 * before the write is only which keys to look at; every one is decided on as it is when it is locked.
 */

export interface Chunk {
  readonly campaign: Campaign;
  readonly shard: number;
  /** Where the journal stood when this was planned. */
  readonly from: ShardProgress;
  readonly limit: number;
  readonly nowMs: number;
}

export interface WrittenChunk {
  readonly progress: ShardProgress;
  /** Keys that were changed; 0 where somebody else had moved the journal. */
  readonly changed: number;
}

/** The stage in which the policy of the deadline is applied: the one after the last. */
export const enforceStage = campaignStages.length;

export async function writeChunk(ports: UseCasePorts, chunk: Chunk): Promise<WrittenChunk> {
  const { campaign, shard, from } = chunk;
  const plan = await planChunk(ports, chunk);
  const progressId = progressIdOf(campaign.id, shard);
  const spreads = spreadsOf(ports.random.bytes(4 * plan.ids.length));
  const receipt = await ports.lanes.submit<WrittenChunk>({
    shard,
    weight: Math.max(1, plan.ids.length),
    actor: actorOf(campaign),
    reads: { keys: plan.ids, documents: [progressId] },
    decide(view, nowMs) {
      const document = view.document(progressId);
      const present = progressIn(progressOf(document), from.stage);
      if (!isSamePlace(present, from)) return { changes: [], reply: { progress: present, changed: 0 } };
      const outcomes = plan.ids.map((id, at) =>
        outcomeOf(view, campaign, { id, spread: spreads[at] ?? 0 }, from, nowMs),
      );
      const changes = outcomes.flatMap((one) => (typeof one === 'object' ? [changeOf(campaign, one)] : []));
      const suspended = outcomes.filter((one) => one === 'suspended').length;
      const progress = advance(present, plan, { changed: changes.length, suspended });
      const body = bodyOfProgress(campaign.id, progress);
      return {
        changes,
        documents: [put(document, progressId, campaign.workspaceId, body, nowMs)],
        reply: { progress, changed: changes.length },
      };
    },
  });
  return receipt.reply;
}

interface Plan {
  readonly ids: readonly KeyId[];
  readonly keyspaceAt: number;
  readonly isDone: boolean;
}

/** The next keys, and where the shard stands behind them. Keyspaces of the shard that hold none are passed over. */
async function planChunk(ports: UseCasePorts, { campaign, shard, from, limit, nowMs }: Chunk): Promise<Plan> {
  if (from.stage === enforceStage) {
    const wish = { shard, campaignId: campaign.id, after: from.after, limit };
    const ids = await ports.reader.askedKeys(wish);
    return { ids, keyspaceAt: 0, isDone: ids.length < limit };
  }
  const { selector } = campaign;
  let { keyspaceAt, after } = from;
  for (;;) {
    const keyspaceId = selector.keyspaceIds[keyspaceAt];
    if (keyspaceId === undefined) return { ids: [], keyspaceAt, isDone: true };
    const ranks = stageRanks(from.stage);
    const ids = await ports.reader.campaignKeys({ shard, keyspaceId, selector, ranks, after, limit, nowMs });
    const isLast = keyspaceAt === selector.keyspaceIds.length - 1;
    if (ids.length > 0) return { ids, keyspaceAt, isDone: isLast && ids.length < limit };
    if (isLast) return { ids, keyspaceAt, isDone: true };
    keyspaceAt += 1;
    after = null;
  }
}

function advance(
  present: ShardProgress,
  plan: Plan,
  { changed, suspended }: { readonly changed: number; readonly suspended: number },
): ShardProgress {
  const { ids, keyspaceAt, isDone } = plan;
  const place = {
    ...present,
    keyspaceAt,
    after: ids.at(-1) ?? (keyspaceAt === present.keyspaceAt ? present.after : null),
    isDone,
  };
  if (present.stage === enforceStage) return { ...place, enforced: present.enforced + changed };
  return {
    ...place,
    taken: present.taken + changed,
    skipped: present.skipped + ids.length - changed,
    suspended: present.suspended + suspended,
  };
}

function outcomeOf(
  view: LaneView,
  campaign: Campaign,
  chunkKey: { readonly id: KeyId; readonly spread: number },
  from: ShardProgress,
  nowMs: number,
): KeyOutcome | 'suspended' | undefined {
  const stored = view.key(chunkKey.id);
  if (stored === undefined) return undefined;
  const { key, isBuiltin, isHeldUp } = inItsHouse(view, stored);
  const isAllowed = !isBuiltin || isManagementKeyAllowed(campaign, key);
  if (from.stage === enforceStage) return isAllowed ? enforceOn(campaign, key, nowMs) : undefined;
  return takeKey(campaign, { key, spread: chunkKey.spread, isAllowed, isHeldUp }, nowMs);
}

function changeOf(campaign: Campaign, outcome: KeyOutcome): Change {
  const data = keyEventData(outcome.after, campaign.starterId, { campaign: campaign.id });
  return { kind: 'key', ...outcome, data };
}

/** The key as owner and keyspace leave it. */
function inItsHouse(view: LaneView, stored: KeyRecord) {
  const owner = view.owner(stored.ownerId);
  const keyspace = view.keyspace(stored.keyspaceId);
  assert(owner !== undefined && keyspace !== undefined, 'a key comes with its owner and its keyspace');
  const key = underKeyspace(underOwner(stored, owner.keysNotBeforeMs), keyspace.keysNotBeforeMs);
  const isHeldUp = owner.state === 'suspended' || keyspace.state === 'suspended';
  return { key, isBuiltin: keyspace.name === builtinKeyspaceName, isHeldUp };
}

/** As by hand: nobody brings a stronger manager to change its secret or to end, and nobody ends itself by accident. */
function isManagementKeyAllowed({ starterId, starterScopes }: Campaign, key: KeyRecord): boolean {
  return key.id !== starterId && mayGrant(starterScopes, key.scopes);
}

/** The campaign acts for whoever began it: the audit names that key, and the campaign in place of a request. */
export function actorOf({ id, workspaceId, starterId }: Campaign): Actor {
  return { workspaceId, keyId: starterId, requestId: id };
}

/** Numbers from 0 to 1, of four random bytes each. */
function spreadsOf(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 4 }, (_, at) => view.getUint32(4 * at) / 2 ** 32);
}

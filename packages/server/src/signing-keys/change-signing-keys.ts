import {
  assert,
  changeSigningKey,
  type DocumentId,
  type DocumentRecord,
  decodeSigningKey,
  type EventType,
  encodeSigningKey,
  Fault,
  type FeedPosition,
  parseId,
  type SigningAlgorithm,
  type SigningKeyId,
  type SigningKeyRecord,
  type WorkspaceId,
  withBody,
} from '@keyswarm/core';
import { placeOf } from '../access/change-place.ts';
import type { Actor, Change, Decision, IdempotencyTicket, LaneView } from '../lanes/lane-port.ts';
import { signingAttemptsMax } from '../limits.ts';
import type { SigningPorts } from './signing-key-ports.ts';
import {
  newSigningKeyId,
  type SigningSlot,
  shardOfSigningKeys,
  signingSlotId,
  slotBody,
  slotOf,
} from './signing-slot.ts';

/*
 * Every change of the signing keys of one workspace and algorithm: one write of their shard, in which all of them that
 * take part are locked and seen. What was read before the write (who is active, who stands by) is compared with what is
 * there in it; if another server was first, the whole is thought through again.
 */

/** Who signs, as it is in the transaction. */
export interface SlotNow {
  readonly active: SigningKeyRecord | undefined;
  readonly standby: SigningKeyRecord | undefined;
  /** The key that the change is about, where it is neither. */
  readonly named: SigningKeyRecord | undefined;
}

export interface SlotChange<Reply> {
  readonly slot: SigningSlot;
  /** In order; the subject of each is one signing key. */
  readonly steps: readonly { readonly event: EventType; readonly key: SigningKeyRecord }[];
  readonly reply: Reply;
}

export interface SlotWish<Reply> {
  readonly workspaceId: WorkspaceId;
  readonly algorithm: SigningAlgorithm;
  readonly actor: Actor;
  readonly named?: SigningKeyId | undefined;
  readonly idempotency?: IdempotencyTicket<Reply> | undefined;
  /** Pure: may run more than once. */
  decide(now: SlotNow, nowMs: number): SlotChange<Reply>;
}

export interface SlotChanged<Reply> {
  readonly reply: Reply;
  /** Of the last step; null: it changed nothing. */
  readonly at: FeedPosition | null;
}

export async function changeSlot<Reply>(
  ports: SigningPorts,
  wish: SlotWish<Reply>,
): Promise<SlotChanged<Reply>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryChange(ports, wish);
    } catch (error) {
      if (!(error instanceof SlotMoved) || attempt === signingAttemptsMax) throw error;
    }
  }
}

/** A change of one key that is in no slot's way: of one that has retired. */
export async function changeOneKey(
  ports: SigningPorts,
  wish: {
    readonly id: SigningKeyId;
    readonly workspaceId: WorkspaceId;
    readonly actor: Actor;
    readonly event: EventType;
    readonly idempotency?: IdempotencyTicket<SigningKeyRecord> | undefined;
    decide(key: SigningKeyRecord, nowMs: number): SigningKeyRecord;
  },
): Promise<{ readonly key: SigningKeyRecord; readonly at: FeedPosition }> {
  const { id, workspaceId } = wish;
  const receipt = await ports.lanes.submit<SigningKeyRecord>({
    shard: shardOfSigningKeys(workspaceId, ports.shards),
    weight: 1,
    actor: wish.actor,
    reads: { documents: [id] },
    decide(view, nowMs) {
      const stored = view.document(id);
      const key = stored && recordOf(stored);
      if (key === undefined || key.workspaceId !== workspaceId) throw signingKeyNotFound();
      const after = wish.decide(key, nowMs);
      return { changes: [changeOf(wish.event, after, stored, nowMs, wish.actor)], reply: after };
    },
    ...(wish.idempotency === undefined ? {} : { idempotency: wish.idempotency }),
  });
  return { key: receipt.reply, at: placeOf(receipt) };
}

export function recordOf(document: DocumentRecord): SigningKeyRecord | undefined {
  const id = parseId('sk', document.id);
  if (id === undefined) return undefined;
  const record = decodeSigningKey({ ...document, id });
  assert(record !== undefined, 'a signing key is read as it was written');
  return record;
}

export function signingKeyNotFound(): Fault {
  return new Fault('not_found', { detail: 'There is no such signing key here.', field: 'id' });
}

/** A key that is not stored yet. */
export async function draftKey(
  ports: SigningPorts,
  terms: { readonly workspaceId: WorkspaceId; readonly algorithm: SigningAlgorithm; readonly issuer: string },
): Promise<SigningKeyRecord> {
  const nowMs = ports.clock.nowMs();
  const id = newSigningKeyId(terms.workspaceId, nowMs, ports.random);
  const { publicKey, bytes } = await ports.vault.newKeyPair(terms.algorithm);
  return {
    id,
    ...terms,
    publicKey,
    sealed: ports.vault.seal({ id, publicKey }, bytes),
    state: 'published',
    notBeforeMs: null,
    tokensUntilMs: 0,
    publishedAtMs: nowMs,
    activatedAtMs: null,
    retiredAtMs: null,
    removedAtMs: null,
    revision: 1,
  };
}

/** As it is when it is published, on the store's clock. */
export function published(draft: SigningKeyRecord, nowMs: number): SigningKeyRecord {
  return { ...draft, publishedAtMs: nowMs };
}

/** Published and active in one: a first key, or the successor of one that leaked with nobody standing by. */
export function publishedActive(draft: SigningKeyRecord, nowMs: number): readonly SigningKeyRecord[] {
  const first = published(draft, nowMs);
  return [first, changeSigningKey(first, 'activate', nowMs)];
}

class SlotMoved extends Fault {
  constructor() {
    super('revision_mismatch', {
      detail: 'The signing keys were changed by another server at the same time.',
    });
  }
}

async function tryChange<Reply>(ports: SigningPorts, wish: SlotWish<Reply>): Promise<SlotChanged<Reply>> {
  const { workspaceId, algorithm, named, actor } = wish;
  const noteId = signingSlotId(workspaceId, algorithm);
  const seen = slotOf(await ports.reader.document(noteId));
  const ids = [seen.active, seen.standby, named ?? null].filter((id) => id !== null);
  const receipt = await ports.lanes.submit<Reply>({
    shard: shardOfSigningKeys(workspaceId, ports.shards),
    weight: 4,
    actor,
    reads: { documents: [noteId, ...new Set<DocumentId>(ids)] },
    decide(view, nowMs): Decision<Reply> {
      const note = view.document(noteId);
      const slot = slotOf(note);
      if (slot.active !== seen.active || slot.standby !== seen.standby) throw new SlotMoved();
      const now = { active: at(view, slot.active), standby: at(view, slot.standby), named: at(view, named) };
      const change = wish.decide(now, nowMs);
      const moved = change.slot.active !== slot.active || change.slot.standby !== slot.standby;
      return {
        changes: changesOf(change, view, { nowMs, actor }),
        documents: moved ? [noteAfter(note, { noteId, workspaceId, nowMs, slot: change.slot })] : [],
        reply: change.reply,
      };
    },
    ...(wish.idempotency === undefined ? {} : { idempotency: wish.idempotency }),
  });
  return receipt;
}

/** One change a step. Steps of one key follow one another, each a revision on. */
function changesOf(
  change: SlotChange<unknown>,
  view: LaneView,
  context: { readonly nowMs: number; readonly actor: Actor },
): readonly Change[] {
  const known = new Map<DocumentId, DocumentRecord | undefined>();
  return change.steps.map(({ event, key }) => {
    const before = known.has(key.id) || key.revision === 1 ? known.get(key.id) : view.document(key.id);
    const made = changeOf(event, key, before, context.nowMs, context.actor);
    known.set(key.id, made.kind === 'document' ? made.after : undefined);
    return made;
  });
}

function changeOf(
  event: EventType,
  key: SigningKeyRecord,
  before: DocumentRecord | undefined,
  nowMs: number,
  actor: Actor,
): Change {
  const body = encodeSigningKey(key);
  const { id, workspaceId } = key;
  const after: DocumentRecord =
    before === undefined
      ? { id, workspaceId, body, createdAtMs: nowMs, updatedAtMs: nowMs, revision: 1 }
      : withBody(before, body, nowMs);
  const data = { actor: actor.keyId, algorithm: key.algorithm, issuer: key.issuer };
  return { kind: 'document', event, after, data };
}

function noteAfter(
  before: DocumentRecord | undefined,
  terms: {
    readonly noteId: DocumentId;
    readonly workspaceId: WorkspaceId;
    readonly nowMs: number;
    readonly slot: SigningSlot;
  },
): DocumentRecord {
  const { noteId: id, workspaceId, nowMs, slot } = terms;
  if (before !== undefined) return withBody(before, slotBody(slot), nowMs);
  return { id, workspaceId, body: slotBody(slot), createdAtMs: nowMs, updatedAtMs: nowMs, revision: 1 };
}

function at(view: LaneView, id: SigningKeyId | null | undefined): SigningKeyRecord | undefined {
  const document = id === null || id === undefined ? undefined : view.document(id);
  return document && recordOf(document);
}

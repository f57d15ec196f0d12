import {
  changeSigningKey,
  Fault,
  type FeedPosition,
  type SigningAlgorithm,
  type SigningKeyId,
  type SigningKeyRecord,
  tokenSkewMsMax,
  type WorkspaceId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { effectiveByOfWorkspace, type LeasePorts } from '../access/effective-by.ts';
import { requireScope } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Actor, IdempotencyTicket } from '../lanes/lane-port.ts';
import { jwksMaxAgeMs, signingKeysListedMax, signingPropagationMs } from '../limits.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import {
  changeOneKey,
  changeSlot,
  draftKey,
  published,
  publishedActive,
  recordOf,
  type SlotChange,
  type SlotChanged,
  type SlotNow,
  signingKeyNotFound,
} from './change-signing-keys.ts';
import type { SigningPorts } from './signing-key-ports.ts';
import { shardOfSigningKeys } from './signing-slot.ts';

/*
 * The life of signing keys, as an operator leads it.
 *
 *   ensure   the first key of a workspace and algorithm: active at once, for nobody holds a JWKS without it that is worth
 *            anything; and one that stands by.
 *   rotate   the one that stands by takes over, the active one retires, another one is published. Two gates: time (every
 *            cached JWKS has run out, every lease has been renewed) and the fleet (every verifier that may hold a lease
 *            has said that it knows the key).
 *   revoke   a private key has leaked: it goes at once with all that it signed, whatever the gates say. The one that
 *            stands by has been known for long, so that what is signed from now on is accepted everywhere.
 *   remove   a retired key, once the last token has expired that it can have signed.
 */

export type RotatePorts = UseCasePorts & { readonly signing: SigningPorts };

export interface SigningKeyChange {
  readonly key: SigningKeyRecord;
  readonly at: FeedPosition;
}

/** The active key: the one there is, or a new one. */
export async function ensureSigningKey(
  ports: SigningPorts,
  terms: { readonly workspaceId: WorkspaceId; readonly algorithm: SigningAlgorithm; readonly issuer: string },
): Promise<SigningKeyRecord> {
  const drafts = [await draftKey(ports, terms), await draftKey(ports, terms)] as const;
  const { reply } = await changeSlot<SigningKeyRecord>(ports, {
    ...terms,
    actor: houseActor(terms.workspaceId),
    decide(now, nowMs) {
      const { active, standby } = now;
      if (active !== undefined && active.issuer === terms.issuer)
        return { slot: slotOf(now), steps: [], reply: active };
      const [first, made] = publishedActive(drafts[0], nowMs);
      const next = published(drafts[1], nowMs);
      if (first === undefined || made === undefined)
        throw new TypeError('a key is published and then active');
      const former = [
        active && changeSigningKey(active, 'retire', nowMs),
        standby && changeSigningKey(standby, 'remove', nowMs),
      ];
      return {
        slot: { active: made.id, standby: next.id },
        steps: [
          { event: 'signing_key.published', key: first },
          { event: 'signing_key.activated', key: made },
          { event: 'signing_key.published', key: next },
          ...(former[0] === undefined ? [] : [{ event: 'signing_key.retired' as const, key: former[0] }]),
          ...(former[1] === undefined
            ? []
            : [{ event: 'signing_key.removed' as const, key: wiped(former[1]) }]),
        ],
        reply: made,
      };
    },
  });
  return reply;
}

/** The next key takes over. Refused with `signing_key_gate` while somebody may not know it. */
export async function rotateSigningKeys(
  ports: RotatePorts,
  caller: Caller,
  algorithm: SigningAlgorithm,
  idempotency: IdempotencyScope | undefined,
): Promise<SigningKeyChange> {
  requireScope(caller, 'signing_keys:write');
  const { reply, at } = await handOverSigning(ports, {
    workspaceId: caller.workspaceId,
    algorithm,
    actor: actorOf(caller),
    idempotency: idempotency?.ticket<SigningKeyRecord>(),
  });
  return { key: reply, at: placed(at) };
}

export interface HandOverWish {
  readonly workspaceId: WorkspaceId;
  readonly algorithm: SigningAlgorithm;
  readonly actor: Actor;
  readonly idempotency?: IdempotencyTicket<SigningKeyRecord> | undefined;
  /** Asked of the active key in the write itself; false: nothing is to be done. Absent: it is. */
  readonly isDue?: ((active: SigningKeyRecord, nowMs: number) => boolean) | undefined;
}

export type HandOverPorts = LeasePorts &
  Pick<UseCasePorts, 'verifier' | 'shards' | 'catchUp' | 'awaitEffective'> & {
    readonly signing: SigningPorts;
  };

/** The reply is the key that is active then; no place: the one that was is not due. */
export async function handOverSigning(
  ports: HandOverPorts,
  wish: HandOverWish,
): Promise<SlotChanged<SigningKeyRecord>> {
  const issuer = requireIssuer(ports.signing);
  const { workspaceId, algorithm, actor, idempotency, isDue = () => true } = wish;
  const draft = await draftKey(ports.signing, { workspaceId, algorithm, issuer });
  const leaseEndsMs = await effectiveByOfWorkspace(ports, workspaceId);
  const leaseMs = Math.max(0, leaseEndsMs - ports.clock.nowMs());
  const fleet = await askFleet(ports, workspaceId);
  return await changeSlot<SigningKeyRecord>(ports.signing, {
    workspaceId,
    algorithm,
    actor,
    idempotency,
    decide(now, nowMs) {
      const { active, standby } = now;
      if (active === undefined || standby === undefined) throw noSigningKey();
      if (!isDue(active, nowMs)) return { slot: slotOf(now), steps: [], reply: active };
      checkTimeGate(standby, leaseMs, nowMs);
      checkFleetGate(standby, fleet);
      return handOver(now, { draft, nowMs, ending: changeSigningKey(active, 'retire', nowMs) });
    },
  });
}

/** Its private key is known to somebody else: nothing that it signed is accepted from now on. */
export async function revokeSigningKey(
  ports: RotatePorts,
  caller: Caller,
  id: SigningKeyId,
  idempotency: IdempotencyScope | undefined,
): Promise<SigningKeyChange & { readonly effectiveByMs: number }> {
  requireScope(caller, 'signing_keys:write');
  const found = await findSigningKey(ports, caller, id);
  const { workspaceId } = caller;
  const { algorithm, issuer } = found;
  const drafts = [
    await draftKey(ports.signing, { workspaceId, algorithm, issuer }),
    await draftKey(ports.signing, { workspaceId, algorithm, issuer }),
  ] as const;
  const { reply, at } = await changeSlot<SigningKeyRecord>(ports.signing, {
    workspaceId,
    algorithm,
    actor: actorOf(caller),
    idempotency: idempotency?.ticket<SigningKeyRecord>(),
    named: id,
    decide(now, nowMs) {
      if (now.named === undefined) throw signingKeyNotFound();
      const gone = wiped(changeSigningKey(now.named, 'revoke', nowMs));
      const ended = { event: 'signing_key.revoked' as const, key: gone };
      const slot = slotOf(now);
      if (id === slot.standby) {
        const next = published(drafts[0], nowMs);
        const steps = [{ event: 'signing_key.published' as const, key: next }, ended];
        return { slot: { ...slot, standby: next.id }, steps, reply: gone };
      }
      if (id !== slot.active) return { slot, steps: [ended], reply: gone };
      const change = takeOver(now, drafts, nowMs);
      return { ...change, steps: [...change.steps, ended], reply: gone };
    },
  });
  return { key: reply, at: placed(at), effectiveByMs: await effectiveByOfWorkspace(ports, workspaceId) };
}

/** Ends a retired key whose tokens have all expired. */
export async function removeSigningKey(
  ports: RotatePorts,
  caller: Caller,
  id: SigningKeyId,
  idempotency: IdempotencyScope | undefined,
): Promise<SigningKeyChange> {
  requireScope(caller, 'signing_keys:write');
  return await removeRetired(ports.signing, {
    id,
    workspaceId: caller.workspaceId,
    actor: actorOf(caller),
    idempotency: idempotency?.ticket<SigningKeyRecord>(),
  });
}

export interface RemovalWish {
  readonly id: SigningKeyId;
  readonly workspaceId: WorkspaceId;
  readonly actor: Actor;
  readonly idempotency?: IdempotencyTicket<SigningKeyRecord> | undefined;
}

/** Refused with `signing_key_gate` while a token that it signed may live. */
export async function removeRetired(signing: SigningPorts, wish: RemovalWish): Promise<SigningKeyChange> {
  return await changeOneKey(signing, {
    ...wish,
    event: 'signing_key.removed',
    decide(key, nowMs) {
      if (key.state === 'published') throw standsBy();
      const after = changeSigningKey(key, 'remove', nowMs);
      const readyAtMs = lastTokenGoneAtMs(key);
      if (nowMs <= readyAtMs) throw gate('Tokens that it signed have not expired yet.', readyAtMs, nowMs);
      return wiped(after);
    },
  });
}

/** From then on nobody accepts a token of it because it had not expired, whatever their clock. */
export function lastTokenGoneAtMs({ tokensUntilMs }: SigningKeyRecord): number {
  return tokensUntilMs + tokenSkewMsMax;
}

/** All of the workspace, the newest last. */
export async function listSigningKeys(
  ports: RotatePorts,
  caller: Caller,
): Promise<readonly SigningKeyRecord[]> {
  requireScope(caller, 'signing_keys:read');
  const { workspaceId } = caller;
  const found = await ports.reader.documents({ kind: 'sk', workspaceId, limit: signingKeysListedMax });
  return found.map(recordOf).filter((key) => key !== undefined);
}

export function houseActor(workspaceId: WorkspaceId): Actor {
  return { workspaceId, keyId: null, requestId: 'signing' };
}

export function requireIssuer({ issuer }: Pick<SigningPorts, 'issuer'>): string {
  if (issuer !== undefined) return issuer;
  throw new Fault('invalid_field', {
    detail: 'This server does not know by which URL others reach it, which stands in every token.',
    field: 'KEYSWARM_PUBLIC_URL',
    expected: 'the setting public_url',
  });
}

async function findSigningKey(
  ports: RotatePorts,
  caller: Caller,
  id: SigningKeyId,
): Promise<SigningKeyRecord> {
  const document = await ports.reader.document(id);
  const key = document && recordOf(document);
  if (key === undefined || key.workspaceId !== caller.workspaceId) throw signingKeyNotFound();
  return key;
}

interface HandOver {
  readonly draft: SigningKeyRecord;
  readonly nowMs: number;
  readonly ending: SigningKeyRecord;
}

function handOver(now: SlotNow, { draft, nowMs, ending }: HandOver): SlotChange<SigningKeyRecord> {
  if (now.standby === undefined) throw noSigningKey();
  const taking = changeSigningKey(now.standby, 'activate', nowMs);
  const next = published(draft, nowMs);
  return {
    slot: { active: taking.id, standby: next.id },
    steps: [
      { event: 'signing_key.published', key: next },
      { event: 'signing_key.activated', key: taking },
      { event: 'signing_key.retired', key: ending },
    ],
    reply: taking,
  };
}

/** Whoever stands by, at once; a new key where nobody does. */
function takeOver(
  { standby }: SlotNow,
  [one, other]: readonly [SigningKeyRecord, SigningKeyRecord],
  nowMs: number,
): Omit<SlotChange<unknown>, 'reply'> {
  const next = published(one, nowMs);
  const publish = { event: 'signing_key.published' as const, key: next };
  if (standby !== undefined) {
    const taking = changeSigningKey(standby, 'activate', nowMs);
    const activate = { event: 'signing_key.activated' as const, key: taking };
    return { slot: { active: taking.id, standby: next.id }, steps: [publish, activate] };
  }
  const steps = publishedActive(other, nowMs).map((key) => ({
    event: key.state === 'active' ? ('signing_key.activated' as const) : ('signing_key.published' as const),
    key,
  }));
  return { slot: { active: other.id, standby: next.id }, steps: [publish, ...steps] };
}

/** A removed key signs nothing: what could be stolen is wiped. */
function wiped(key: SigningKeyRecord): SigningKeyRecord {
  return { ...key, sealed: new Uint8Array() };
}

function slotOf({ active, standby }: SlotNow) {
  return { active: active?.id ?? null, standby: standby?.id ?? null };
}

interface Fleet {
  /** Known by all that may hold a lease, and as of which instant of the store's clock. */
  readonly knowsAll: boolean;
  readonly laggards: number;
  /** What this server knew when it asked: a key it did not know can't have been asked about. */
  readonly known: ReadonlySet<SigningKeyId>;
}

/** Does every verifier know what is resident here now? Waits a moment for reports, and no longer. */
async function askFleet(ports: HandOverPorts, workspaceId: WorkspaceId): Promise<Fleet> {
  const { verifier, awaitEffective, clock, shards, catchUp } = ports;
  await catchUp?.();
  const known = new Set([...verifier.signingKeys()].map(({ id }) => id));
  if (awaitEffective === undefined) return { knowsAll: true, laggards: 0, known };
  const { epoch, seqs } = verifier.applied();
  const shard = shardOfSigningKeys(workspaceId, shards);
  const effectiveByMs = clock.nowMs() + signingPropagationMs;
  const outcome = await awaitEffective({ workspaceId, epoch, shard, seq: seqs[shard] ?? 0, effectiveByMs });
  return { knowsAll: outcome.laggards.length === 0, laggards: outcome.laggards.length, known };
}

function checkFleetGate(standby: SigningKeyRecord, { knowsAll, laggards, known }: Fleet): void {
  if (knowsAll && known.has(standby.id)) return;
  throw new Fault('signing_key_gate', {
    detail: 'Not every verifier that may hold a lease has said that it knows the next key.',
    field: 'algorithm',
    expected: 'another try when they have',
    extra: { laggards },
  });
}

function checkTimeGate(standby: SigningKeyRecord, leaseMs: number, nowMs: number): void {
  const readyAtMs = standby.publishedAtMs + jwksMaxAgeMs + leaseMs + signingPropagationMs;
  if (nowMs < readyAtMs)
    throw gate('Somebody may have a set of keys without the next one.', readyAtMs, nowMs);
}

function gate(detail: string, readyAtMs: number, nowMs: number): Fault {
  return new Fault('signing_key_gate', {
    detail,
    expected: `another try from ${new Date(readyAtMs).toISOString()} on`,
    retryAfterMs: Math.max(0, readyAtMs - nowMs),
    extra: { ready_at: new Date(readyAtMs).toISOString() },
  });
}

function standsBy(): Fault {
  return new Fault('signing_key_state', {
    detail: 'This key stands by for the active one.',
    field: 'id',
    expected: 'a retired key',
  });
}

function noSigningKey(): Fault {
  return new Fault('not_found', {
    detail: 'Nothing has been signed with this algorithm here yet.',
    field: '/algorithm',
  });
}

function placed(at: FeedPosition | null): FeedPosition {
  if (at === null) throw new TypeError('a change of signing keys has its place');
  return at;
}

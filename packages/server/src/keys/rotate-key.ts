import {
  assert,
  Fault,
  type FeedPosition,
  finishRotation,
  handOut,
  isBuiltinKeyspace,
  type KeyId,
  type KeyRecord,
  type KeyspaceRecord,
  rotateKey,
  type Secret,
  type TokenStatus,
  type UseEvidence,
  withToken,
} from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { effectiveByOfKeyspace } from '../access/effective-by.ts';
import { refuseDerived, refuseEscalation, refuseOutliving } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { changeKey, type FoundKey, findKey } from './change-key.ts';
import { mintToken } from './mint-token.ts';
import { type MintedVersion, mintVersion, noProof, type ProofWish, refuseProof } from './mint-version.ts';

export interface RotatedKey {
  readonly key: KeyRecord;
  /** Undefined: the new version has a public key. */
  readonly secret: Secret | undefined;
  readonly at: FeedPosition;
  readonly effectiveByMs: number;
}

/** A new active version; the old one goes on working for its grace. */
export async function rotateOneKey(
  ports: UseCasePorts,
  caller: Caller,
  wish: {
    readonly id: KeyId;
    readonly graceSeconds?: number | undefined;
    readonly cut?: boolean | undefined;
    readonly proof?: ProofWish | undefined;
  },
  idempotency: IdempotencyScope | undefined,
): Promise<RotatedKey> {
  const found = await findKey(ports, caller, wish.id, 'keys:rotate');
  const { secret, fingerprint, proofFor, status } = await mintNext(ports, found, wish.proof);
  const { graceSeconds, cut } = wish;
  const { reply, at } = await changeKey<Pick<RotatedKey, 'key' | 'secret'>>(ports, caller, found, {
    event: 'key.rotated',
    idempotency,
    mints: true,
    decide({ key, keyspace, owner, nowMs }) {
      if (isBuiltinKeyspace(keyspace)) refuseSecretOf(caller, key);
      const ownerKeysNotBeforeMs = owner.keysNotBeforeMs;
      const number = (key.versions.at(-1)?.number ?? 0) + 1;
      const proof = proofFor({ keyspace, keyId: key.id, number, key });
      const next = { fingerprint, graceSeconds, cut, ownerKeysNotBeforeMs, proof };
      const rotated = rotateKey(key, keyspace, next, nowMs);
      const after = isBuiltinKeyspace(keyspace)
        ? { ...rotated, traits: handOut(key, rotated, caller.keyId, nowMs) }
        : rotated;
      return status === undefined ? after : withNewToken(key, after, { status, nowMs });
    },
    data: (after) => {
      const previous = after.versions.at(-2);
      const retiresAt = previous?.retiresAtMs ?? null;
      return {
        version: after.versions.at(-1)?.number,
        previous_version: previous?.number,
        previous_retires_at: retiresAt === null ? null : new Date(retiresAt).toISOString(),
      };
    },
    reply: (key) => ({ key, secret }),
  });
  return { ...reply, at, effectiveByMs: await effectiveByOfKeyspace(ports, found.key.keyspaceId) };
}

/** The secret of a manager who may do more, or for longer, would be as good as its scopes and its time. */
function refuseSecretOf(caller: Caller, { scopes, expiresAtMs }: KeyRecord): void {
  refuseDerived(caller);
  refuseEscalation(caller, scopes);
  refuseOutliving(caller, expiresAtMs, 'id');
}

/** The next secret: of a keyspace of tokens one that says what the key's record says now. */
async function mintNext(
  ports: UseCasePorts,
  { key, keyspace }: FoundKey,
  proof: ProofWish | undefined,
): Promise<MintedVersion & { readonly status?: TokenStatus }> {
  if (keyspace.format === 'opaque') return mintVersion(ports, keyspace.prefix, proof);
  refuseProof(proof);
  const minted = await mintToken(ports, key.workspaceId, keyspace, {
    keyId: key.id,
    ownerId: key.ownerId,
    scopes: key.scopes,
    notBeforeMs: key.notBeforeMs,
    expiresAtMs: key.expiresAtMs,
    version: (key.versions.at(-1)?.number ?? 0) + 1,
  });
  return { ...minted, proofFor: noProof };
}

/** The key as the token says it is: somebody may have changed it since the token was signed. */
function withNewToken(
  before: KeyRecord,
  after: KeyRecord,
  { status, nowMs }: { readonly status: TokenStatus; readonly nowMs: number },
): KeyRecord {
  const version = after.versions.at(-1)?.number ?? status.version;
  const isAsSigned = before.expiresAtMs !== null && before.expiresAtMs >= status.expiresAtMs;
  if (!isAsSigned) {
    throw new Fault('revision_mismatch', {
      detail: 'The key was changed while its next token was signed.',
      field: 'id',
      expected: 'another try',
    });
  }
  return { ...after, traits: withToken(after.traits, { ...status, version }, nowMs) };
}

export interface FinishedRotation {
  readonly key: KeyRecord;
  readonly at: FeedPosition;
  readonly effectiveByMs: number;
}

/** Ends the grace of the old version now; refused while that version is being used, unless forced. */
export async function finishKeyRotation(
  ports: UseCasePorts,
  caller: Caller,
  wish: { readonly id: KeyId; readonly force: boolean },
  idempotency: IdempotencyScope | undefined,
): Promise<FinishedRotation> {
  const found = await findKey(ports, caller, wish.id, 'keys:rotate');
  // Before the write waits for its batch: what is told meanwhile is as late as any other use of the last seconds.
  const evidence = await ports.evidence.of(found.key);
  const { reply: key, at } = await changeKey<KeyRecord>(ports, caller, found, {
    event: 'key.retired',
    idempotency,
    decide: ({ key, keyspace, nowMs }) =>
      finishRotation(
        key,
        { force: wish.force, evidence: { ...evidence, windowMs: windowMsOf(keyspace) } },
        nowMs,
      ),
    data: (after) => ({ version: after.versions.at(-2)?.number, forced: wish.force }),
    reply: (after) => after,
  });
  noteRetired(ports, key, wish.force ? 'forced' : 'finished');
  return { key, at, effectiveByMs: await effectiveByOfKeyspace(ports, found.key.keyspaceId) };
}

/** What finishing it now would be decided on. */
export async function evidenceToFinish(
  { evidence, reader }: Pick<UseCasePorts, 'evidence' | 'reader'>,
  key: KeyRecord,
): Promise<UseEvidence> {
  const [found, keyspace] = await Promise.all([
    evidence.of(key),
    reader.keyspace(key.workspaceId, key.keyspaceId),
  ]);
  assert(keyspace !== undefined, 'the keyspace of a key exists');
  return { ...found, windowMs: windowMsOf(keyspace) };
}

function windowMsOf({ rotation }: Pick<KeyspaceRecord, 'rotation'>): number {
  return rotation.inUseWindowSeconds * 1000;
}

/** How long the rotation took that has ended in this. */
export function noteRetired(
  { rotationTimes }: Pick<UseCasePorts, 'rotationTimes'>,
  key: KeyRecord,
  how: Parameters<UseCasePorts['rotationTimes']['retired']>[0],
): void {
  const retiredMs = key.versions.at(-2)?.retiresAtMs ?? null;
  const askedMs = key.versions.at(-1)?.mintedAtMs;
  if (retiredMs !== null && askedMs !== undefined) rotationTimes.retired(how, retiredMs - askedMs);
}

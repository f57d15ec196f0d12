import { algorithms } from '../algorithms/algorithms.ts';
import { bytesOfHex, hexOf } from '../encoding/hex.ts';
import type { JsonObject } from '../encoding/json.ts';
import type { FactReader } from '../facts/fact-reader.ts';
import type { SigningKeyId, WorkspaceId } from '../ids/ids.ts';
import { issuerLengthMax } from '../limits/limits.ts';
import {
  type SigningAlgorithm,
  type SigningKeyRecord,
  type SigningKeyState,
  signingAlgorithms,
  signingKeyStates,
} from './signing-key.ts';

/** What a verifier needs of a signing key to verify what it signed: nothing that could sign. */
export interface SigningKeyFact {
  readonly id: SigningKeyId;
  readonly workspaceId: WorkspaceId;
  readonly revision: number;
  readonly algorithm: SigningAlgorithm;
  readonly issuer: string;
  readonly publicKey: Uint8Array;
  readonly state: SigningKeyState;
  readonly notBeforeMs: number | null;
}

export function signingKeyFactOf(record: SigningKeyRecord): SigningKeyFact {
  const { id, workspaceId, revision, algorithm, issuer, publicKey, state, notBeforeMs } = record;
  return { id, workspaceId, revision, algorithm, issuer, publicKey, state, notBeforeMs };
}

export function encodeSigningKeyFact(fact: SigningKeyFact): JsonObject {
  return {
    id: fact.id,
    workspace_id: fact.workspaceId,
    revision: fact.revision,
    algorithm: fact.algorithm,
    issuer: fact.issuer,
    public_key: hexOf(fact.publicKey),
    state: fact.state,
    not_before_ms: fact.notBeforeMs,
  };
}

const members = [
  'id',
  'workspace_id',
  'revision',
  'algorithm',
  'issuer',
  'public_key',
  'state',
  'not_before_ms',
];

export function readSigningKeyFact(reader: FactReader, json: unknown, where: string): SigningKeyFact {
  const fields = reader.object(json, where, members);
  const algorithm = reader.oneOf(fields.algorithm, `${where}.algorithm`, signingAlgorithms);
  return {
    id: reader.id('sk', fields.id, `${where}.id`),
    workspaceId: reader.id('ws', fields.workspace_id, `${where}.workspace_id`),
    revision: reader.revision(fields.revision, `${where}.revision`),
    algorithm,
    issuer: reader.text(fields.issuer, `${where}.issuer`, issuerLengthMax),
    publicKey: reader.bytes(fields.public_key, `${where}.public_key`, publicKeyBytesOf(algorithm)),
    state: reader.oneOf(fields.state, `${where}.state`, signingKeyStates),
    notBeforeMs: reader.timeMsOrNull(fields.not_before_ms, `${where}.not_before_ms`),
  };
}

/** Bytes of the raw public key of an algorithm. */
export function publicKeyBytesOf(algorithm: SigningAlgorithm): number {
  return Object.values(algorithms[algorithm].jwk.members).reduce((sum, bytes) => sum + bytes, 0);
}

/** The record as the store keeps it, in the body of its document. */
export function encodeSigningKey(record: SigningKeyRecord): JsonObject {
  return {
    algorithm: record.algorithm,
    issuer: record.issuer,
    public_key: hexOf(record.publicKey),
    sealed: hexOf(record.sealed),
    state: record.state,
    not_before_ms: record.notBeforeMs,
    tokens_until_ms: record.tokensUntilMs,
    published_at_ms: record.publishedAtMs,
    activated_at_ms: record.activatedAtMs,
    retired_at_ms: record.retiredAtMs,
    removed_at_ms: record.removedAtMs,
  };
}

export interface StoredSigningKey {
  readonly id: SigningKeyId;
  readonly workspaceId: WorkspaceId;
  readonly revision: number;
  readonly body: JsonObject;
}

/** Of what the store gave back; undefined: it isn't as it was written. */
export function decodeSigningKey({
  id,
  workspaceId,
  revision,
  body,
}: StoredSigningKey): SigningKeyRecord | undefined {
  const algorithm = signingAlgorithms.find((name) => name === body.algorithm);
  const state = signingKeyStates.find((name) => name === body.state);
  if (algorithm === undefined || state === undefined || typeof body.issuer !== 'string') return undefined;
  const publicKey =
    typeof body.public_key === 'string'
      ? bytesOfHex(body.public_key, publicKeyBytesOf(algorithm))
      : undefined;
  const sealed =
    typeof body.sealed === 'string' ? bytesOfHex(body.sealed, body.sealed.length / 2) : undefined;
  if (publicKey === undefined || sealed === undefined) return undefined;
  return {
    id,
    workspaceId,
    revision,
    algorithm,
    issuer: body.issuer,
    publicKey,
    sealed,
    state,
    notBeforeMs: timeOrNull(body.not_before_ms),
    tokensUntilMs: timeOrNull(body.tokens_until_ms) ?? 0,
    publishedAtMs: timeOrNull(body.published_at_ms) ?? 0,
    activatedAtMs: timeOrNull(body.activated_at_ms),
    retiredAtMs: timeOrNull(body.retired_at_ms),
    removedAtMs: timeOrNull(body.removed_at_ms),
  };
}

function timeOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

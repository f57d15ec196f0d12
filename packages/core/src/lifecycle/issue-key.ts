import { requireApproved } from '../approvals/scope-to-approve.ts';
import { assert } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import type { KeyId, OwnerId, WorkspaceId } from '../ids/ids.ts';
import { scopesPerKeyMax } from '../limits/limits.ts';
import { resolveExpiryMs } from './check-expiry.ts';
import { checkMetadata, checkName, checkScopes, checkTimeMs } from './check-fields.ts';
import type { KeyRecord, KeyspaceRecord } from './key-record.ts';
import { type KeyTraits, noTraits, withProofs } from './key-traits.ts';
import { mintVersion } from './mint-version.ts';
import { checkNewProof, type NewProof, proofsAfter } from './version-proof.ts';

/*
 * The lifecycle, written as pure deciders: each takes the record as it is and what is asked of it, and returns
 * the record as it will be, one revision higher, or throws a Fault that names the field. None reads a clock, a
 * random source or a store; `nowMs` comes in, and so do ids and fingerprints. SPEC.md beside holds the states,
 * the tables and the numbered invariants with the tests that enforce them.
 *
 * What they trade: a decider sees one key at a time, so what spans keys (a fingerprint that is already known, a
 * name that is taken, a caller that grants more than it holds) is decided where the transaction is.
 */

export interface IssueKey {
  readonly id: KeyId;
  readonly workspaceId: WorkspaceId;
  readonly keyspace: KeyspaceRecord;
  readonly ownerId: OwnerId;
  /** The owner's watermark, if it has one: the key is minted after it, whatever the clocks say. */
  readonly ownerKeysNotBeforeMs?: number | null | undefined;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly ttlSeconds?: number | undefined;
  readonly expiresAtMs?: number | undefined;
  readonly notBeforeMs?: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** What a second manager has agreed to; absent: nothing. A keyspace may want that for some scopes or for all keys. */
  readonly approvedScopes?: readonly string[] | undefined;
  readonly traits?: KeyTraits | undefined;
  /** What the first version signs requests with. */
  readonly proof?: NewProof | undefined;
  /** SHA-256 of the key string, 32 bytes. */
  readonly fingerprint: Uint8Array;
  readonly nowMs: number;
}

export function issueKey(wish: IssueKey): KeyRecord {
  const { keyspace, nowMs } = wish;
  assert(keyspace.workspaceId === wish.workspaceId, 'a key is issued in a keyspace of its workspace');
  checkNewProof(keyspace, wish.proof);
  const proofs = proofsAfter(undefined, { version: 1, proof: wish.proof });
  const scopes = checkScopes(wish.scopes, {
    field: '/scopes',
    countMax: scopesPerKeyMax,
    allowed: keyspace.allowedScopes,
  });
  requireApproved(keyspace, scopes, wish.approvedScopes);
  const notBeforeMs = wish.notBeforeMs === undefined ? null : checkTimeMs(wish.notBeforeMs, '/not_before');
  const version = mintVersion({
    number: 1,
    fingerprint: wish.fingerprint,
    keyspace,
    ownerKeysNotBeforeMs: wish.ownerKeysNotBeforeMs,
    nowMs,
  });
  return {
    id: wish.id,
    workspaceId: wish.workspaceId,
    keyspaceId: keyspace.id,
    ownerId: wish.ownerId,
    name: checkName(wish.name),
    scopes,
    metadata: checkMetadata(wish.metadata),
    state: 'active',
    notBeforeMs,
    expiresAtMs: resolveExpiryMs(wish, { nowMs, mintedAtMs: version.mintedAtMs, notBeforeMs, keyspace }),
    createdAtMs: nowMs,
    revokedAtMs: null,
    revokeReason: null,
    traits: withProofs(traitsOf(wish), proofs),
    revision: 1,
    versions: [version],
  };
}

/**
 * How an imported key string becomes a fingerprint: SHA-256 of the whole string, or, as prefixed-api-key does
 * it, SHA-256 of what follows its last underscore.
 */
export const importedFormats = ['sha256', 'prefixed_api_key'] as const;
export type ImportedFormat = (typeof importedFormats)[number];

export interface ImportKey extends IssueKey {
  readonly importedFormat: ImportedFormat;
}

/** A key whose string was made elsewhere: the same rules, and a fingerprint that was given and not minted. */
export function importKey(wish: ImportKey): KeyRecord {
  if (!importedFormats.includes(wish.importedFormat)) {
    throw new Fault('invalid_field', {
      detail: 'The format of the imported key is not known.',
      field: '/format',
      expected: importedFormats.join(' or '),
    });
  }
  return issueKey(wish);
}

/** An end that was named stays where it is; one that follows from a time to live moves when the key is renewed. */
function traitsOf({ traits = noTraits, expiresAtMs }: IssueKey): KeyTraits {
  return expiresAtMs === undefined ? traits : { ...traits, endsFixed: true };
}

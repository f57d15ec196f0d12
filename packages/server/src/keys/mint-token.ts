import {
  assert,
  Fault,
  type KeyId,
  type KeyRecord,
  type KeyspaceRecord,
  normaliseScopes,
  type OwnerId,
  type Secret,
  type TokenStatus,
} from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { KeyspaceEntry } from '../keyspaces/keyspace-directory.ts';

interface MintedSecret {
  readonly secret: Secret;
  /** SHA-256 of the key string: all that is ever stored of it. */
  readonly fingerprint: Uint8Array;
}

/** A secret that is a token, and where its status stands. */
export interface MintedToken extends MintedSecret {
  readonly status: TokenStatus;
  /** What the token says: the key ends then, and not a moment later. */
  readonly expiresAtMs: number;
}

export interface TokenTerms {
  readonly keyId: KeyId;
  readonly ownerId: OwnerId;
  readonly scopes: readonly string[];
  readonly notBeforeMs: number | null;
  /** As asked for; the keyspace's default where nothing is. */
  readonly ttlSeconds?: number | undefined;
  readonly expiresAtMs?: number | null | undefined;
  readonly version: number;
}

/** The same for a keyspace of tokens. What it says is settled here; the decision in the lane holds it to the rules. */
export async function mintToken(
  ports: Pick<UseCasePorts, 'tokens' | 'reader'>,
  workspaceId: KeyRecord['workspaceId'],
  { id }: Pick<KeyspaceEntry, 'id'>,
  terms: TokenTerms,
): Promise<MintedToken> {
  const { tokens } = ports;
  assert(tokens !== undefined, 'a server with keyspaces of tokens signs them');
  const keyspace = await ports.reader.keyspace(workspaceId, id);
  assert(keyspace !== undefined, 'a keyspace that was found stays');
  const expiresAtMs = expiryOf(keyspace, terms, tokens.nowMs());
  const { keyId, ownerId, notBeforeMs, version } = terms;
  const scopes = normaliseScopes(terms.scopes);
  const token = await tokens.keyToken({
    workspaceId,
    keyspace,
    keyId,
    ownerId,
    scopes,
    notBeforeMs,
    expiresAtMs,
    version,
  });
  return { ...token, expiresAtMs };
}

/** Whole seconds, as a token has them, and never later than what was asked for. */
function expiryOf(
  { defaultTtlSeconds, maxTtlSeconds }: KeyspaceRecord,
  { ttlSeconds, expiresAtMs }: TokenTerms,
  nowMs: number,
): number {
  const wanted = ttlSeconds ?? defaultTtlSeconds;
  const endMs = expiresAtMs ?? (wanted === null ? undefined : nowMs + wanted * 1000);
  if (endMs !== undefined) return Math.floor(endMs / 1000) * 1000;
  throw new Fault('missing_field', {
    detail: 'The keyspace sets a maximum time to live and no default, so one must be given.',
    field: '/ttl_seconds',
    expected: `1 to ${maxTtlSeconds} seconds`,
  });
}

/** For what makes versions in other ways than by issuing and rotating: a token is made by those two alone. */
export function requireOpaque({ format }: Pick<KeyspaceEntry, 'format'>, field: string): void {
  if (format === 'opaque') return;
  throw new Fault('invalid_field', {
    detail: 'The keys of this keyspace are tokens, which are made by issuing and rotating alone.',
    field,
    expected: 'a keyspace whose format is opaque',
  });
}

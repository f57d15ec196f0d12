import { hash } from 'node:crypto';
import {
  type Answer,
  deriveDepthMax,
  Fault,
  fingerprintFactBytes,
  firstNotCovered,
  isScope,
  keyStringPrefixLength,
  normaliseScopes,
  readTokenClaims,
  scopesPerKeyMax,
  type TokenClaims,
  type ValidVerdict,
} from '@keyswarm/core';
import { mayBeNews } from '@keyswarm/verifier';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { TokenIssuer } from './token-ports.ts';

/*
 * A narrower, shorter token out of a key, or out of a token that was derived of one (RFC 8693). Possession is authority
 * enough: whoever has the key can do all that the token can.
 *
 * The token names the version of the key that it hangs on by that version's fingerprint, so that verifiers find it without
 * an index of their own. That is a hash of the key string: it gives nothing away of a random one, but of a weak string
 * that another system made it would let anybody try passwords. So nothing is derived of imported keys.
 */

export type TokenRefusalCode =
  | 'invalid_request'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_client'
  | 'unsupported_grant_type'
  | 'unsupported_token_type'
  | 'temporarily_unavailable';

/** RFC 6749 section 5.2: what is wrong, in a word that clients switch on, and a sentence that leaks nothing. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  readonly code: TokenRefusalCode;

  constructor(code: TokenRefusalCode, description: string) {
    super(description);
    this.code = code;
  }
}

export type DerivePorts = Pick<UseCasePorts, 'verifier' | 'catchUp' | 'reader'> & {
  readonly tokens: TokenIssuer;
};

export interface DeriveWish {
  /** A key string, or a token of one. */
  readonly subject: string;
  /** Absent: all that the subject has. */
  readonly scopes?: readonly string[] | undefined;
  /** Id or name of the subject's keyspace; another one is refused. */
  readonly audience?: string | undefined;
  readonly ttlSeconds?: number | undefined;
}

export interface DerivedToken {
  readonly token: string;
  readonly scopes: readonly string[];
  readonly expiresInSeconds: number;
}

export async function deriveToken(ports: DerivePorts, wish: DeriveWish): Promise<DerivedToken> {
  const verdict = await verdictOf(ports, wish.subject);
  return await deriveFrom(ports, verdict, wish);
}

/** Is it good now? A refusal waits for news where there may be some, as everywhere. */
export async function verdictOf(
  ports: Pick<DerivePorts, 'verifier' | 'catchUp'>,
  subject: string,
): Promise<ValidVerdict> {
  let answer: Answer = ports.verifier.verify(subject, {});
  if (answer.valid === false && ports.catchUp !== undefined && mayBeNews(answer.code, subject)) {
    await ports.catchUp();
    answer = ports.verifier.verify(subject, {});
  }
  if (answer.valid === null)
    throw new TokenRefused('temporarily_unavailable', 'Freshness can not be proved now.');
  if (!answer.valid) throw new TokenRefused('invalid_grant', 'The key or token is not valid.');
  return answer;
}

export async function deriveFrom(
  ports: DerivePorts,
  verdict: ValidVerdict,
  wish: DeriveWish,
): Promise<DerivedToken> {
  const parent = parentOf(wish.subject);
  const { audience } = wish;
  if (audience !== undefined && audience !== verdict.keyspace && audience !== verdict.keyspaceId)
    throw new TokenRefused('invalid_target', 'A token is for the keyspace of its key.');
  const scopes = narrowed(verdict, wish.scopes);
  const keyspace = await ports.reader.keyspace(verdict.workspaceId, verdict.keyspaceId);
  if (keyspace === undefined) throw new TokenRefused('invalid_grant', 'The key or token is not valid.');
  const nowMs = ports.tokens.nowMs();
  const wantedMs =
    nowMs +
    Math.min(wish.ttlSeconds ?? keyspace.token.derivedTtlSeconds, keyspace.token.derivedTtlSeconds) * 1000;
  const expiresAtMs = Math.floor(Math.min(wantedMs, verdict.expiresAtMs ?? wantedMs) / 1000) * 1000;
  if (expiresAtMs <= nowMs) throw new TokenRefused('invalid_grant', 'The key or token is about to expire.');
  try {
    const token = await ports.tokens.derivedToken({
      workspaceId: verdict.workspaceId,
      keyspaceId: verdict.keyspaceId,
      keyId: verdict.keyId,
      ownerId: verdict.owner.id,
      ...parent,
      scopes,
      expiresAtMs,
    });
    return { token, scopes, expiresInSeconds: Math.floor((expiresAtMs - nowMs) / 1000) };
  } catch (error) {
    if (error instanceof Fault && error.field === '/scopes')
      throw new TokenRefused('invalid_scope', error.message);
    throw error;
  }
}

interface Parent {
  readonly fingerprint: Uint8Array;
  readonly depth: number;
  /** Its place in the status list, where it has one: readers that follow no feed see there what has become of the version. */
  readonly status?: TokenClaims['status'];
}

/** The version that the new token hangs on: that of the key, however long the chain between. The subject was found valid. */
function parentOf(subject: string): Parent {
  const own = { fingerprint: hash('sha256', subject, 'buffer').subarray(0, fingerprintFactBytes), depth: 1 };
  if (keyStringPrefixLength(subject) !== 0) return own;
  const [, claimsPart = ''] = subject.split('.');
  const claims = readTokenClaims(Buffer.from(claimsPart, 'base64url').toString('utf8'));
  if (claims === undefined) throw new TokenRefused('invalid_grant', 'Nothing is derived of imported keys.');
  const { status } = claims;
  const listed = status === undefined ? {} : { status };
  if (claims.keyswarm === undefined) return { ...own, ...listed };
  const { parent, depth } = claims.keyswarm;
  if (depth >= deriveDepthMax)
    throw new TokenRefused('invalid_grant', 'The chain of tokens is as long as it may be.');
  return { fingerprint: Buffer.from(parent, 'base64url'), depth: depth + 1, ...listed };
}

function narrowed(verdict: ValidVerdict, wanted: readonly string[] | undefined): readonly string[] {
  if (wanted === undefined) return verdict.scopes;
  if (wanted.length > scopesPerKeyMax || !wanted.every(isScope))
    throw new TokenRefused('invalid_scope', 'A scope is not well formed, or there are too many.');
  if (firstNotCovered(verdict.scopes, wanted) !== undefined)
    throw new TokenRefused('invalid_scope', 'A token can not have a scope that its key does not have.');
  return normaliseScopes(wanted);
}

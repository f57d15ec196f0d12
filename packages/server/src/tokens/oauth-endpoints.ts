import { grantTypes, oauthRoutes, tokenTypes } from '@keyswarm/contract';
import { algorithms, Fault, type KeyId, type KeyspaceId, revokeKey, type ValidVerdict } from '@keyswarm/core';
import { mayBeNews } from '@keyswarm/verifier';
import type { Caller } from '../access/caller.ts';
import { requireAnywhere } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { changeKey } from '../keys/change-key.ts';
import { verifyOneKey } from '../keys/verify-keys.ts';
import { type DerivedToken, deriveFrom, deriveToken, TokenRefused, verdictOf } from './derive-token.ts';
import type { TokenIssuer } from './token-ports.ts';

/*
 * OAuth, as far as keys have a use for it: token exchange (RFC 8693) and client credentials (RFC 6749 section 4.4, with a key
 * as the client's secret), introspection (RFC 7662), revocation by possession (RFC 7009) and metadata (RFC 8414).
 */

export type OAuthPorts = UseCasePorts & { readonly tokens: TokenIssuer };

/** The parameters of a form, each there once at the most. */
export type FormFields = ReadonlyMap<string, string>;

export interface ClientAuth {
  readonly id: string;
  readonly secret: string;
}

export async function grantToken(
  ports: OAuthPorts,
  fields: FormFields,
  client: ClientAuth | undefined,
): Promise<object> {
  const grant = fields.get('grant_type');
  if (grant === undefined) throw new TokenRefused('invalid_request', 'grant_type is missing.');
  if (grant === grantTypes.exchange) return replyOf(await exchange(ports, fields), true);
  if (grant === grantTypes.clientCredentials)
    return replyOf(await byCredentials(ports, fields, client), false);
  throw new TokenRefused(
    'unsupported_grant_type',
    `grant_type is ${Object.values(grantTypes).join(' or ')}.`,
  );
}

/** RFC 7662. Whatever is wrong with a token, it is not active, and nothing else is said. */
export async function introspect(ports: OAuthPorts, caller: Caller, fields: FormFields): Promise<object> {
  requireAnywhere(caller, 'keys:verify');
  const token = fields.get('token');
  if (token === undefined) throw new TokenRefused('invalid_request', 'token is missing.');
  const answer = await verifyOneKey(ports, caller, { presented: token });
  if (answer.valid === null)
    throw new TokenRefused('temporarily_unavailable', 'Freshness can not be proved now.');
  if (!answer.valid) return { active: false };
  const { scopes, keyId, owner, keyspaceId, expiresAtMs } = answer;
  return {
    active: true,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    client_id: keyId,
    sub: owner.id,
    aud: keyspaceId,
    iss: ports.tokens.issuer,
    token_type: 'Bearer',
    ...(expiresAtMs === null ? {} : { exp: Math.floor(expiresAtMs / 1000) }),
  };
}

/**
 * RFC 7009: whoever holds a key may end it. What is not known is as good as revoked; a token that was derived of a key is
 * stored nowhere and ends with that.
 */
export async function revokeByPossession(
  ports: OAuthPorts,
  fields: FormFields,
  requestId: string,
): Promise<void> {
  const token = fields.get('token');
  if (token === undefined) throw new TokenRefused('invalid_request', 'token is missing.');
  let found = ports.verifier.find(token);
  if (ports.catchUp !== undefined && found.held === null && mayBeNews(found.answer.code, token)) {
    await ports.catchUp();
    found = ports.verifier.find(token);
  }
  const { answer, held } = found;
  if (held === null) {
    if (answer.valid === null)
      throw new TokenRefused('temporarily_unavailable', 'Freshness can not be proved now.');
    if (answer.valid)
      throw new TokenRefused('unsupported_token_type', 'A derived token ends with its key: revoke that.');
    return;
  }
  await endHeldKey(ports, held, requestId);
}

interface HeldKey {
  readonly keyId: KeyId;
  readonly workspaceId: ValidVerdict['workspaceId'];
  readonly keyspaceId: KeyspaceId;
}

async function endHeldKey(ports: OAuthPorts, held: HeldKey, requestId: string): Promise<void> {
  const { workspaceId, keyId } = held;
  const key = await ports.reader.key(workspaceId, keyId);
  if (key === undefined) return;
  const holder: Caller = { keyId, workspaceId, scopes: [], expiresAtMs: null, isDerived: false, requestId };
  try {
    await changeKey(
      ports,
      holder,
      { key },
      {
        event: 'key.revoked',
        idempotency: undefined,
        decide: ({ key: now, nowMs }) => revokeKey(now, { reason: 'revoked by whoever held it' }, nowMs),
        data: (after) => ({ reason: after.revokeReason }),
        reply: () => null,
      },
    );
  } catch (error) {
    // It was revoked already: that is what was asked for.
    if (!(error instanceof Fault && error.code === 'already_revoked')) throw error;
  }
}

/** RFC 8414. */
export function authorizationServerMetadata(issuer: string): object {
  return {
    issuer,
    token_endpoint: issuer + oauthRoutes.grantToken.path,
    jwks_uri: issuer + oauthRoutes.getJwks.path,
    introspection_endpoint: issuer + oauthRoutes.introspectToken.path,
    revocation_endpoint: issuer + oauthRoutes.revokeToken.path,
    response_types_supported: [],
    grant_types_supported: Object.values(grantTypes),
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    revocation_endpoint_auth_methods_supported: ['none'],
    access_token_signing_alg_values_supported: [
      algorithms.ed25519.jose,
      algorithms['ecdsa-p256-sha256'].jose,
    ],
  };
}

async function exchange(ports: OAuthPorts, fields: FormFields): Promise<DerivedToken> {
  const subject = fields.get('subject_token');
  const type = fields.get('subject_token_type');
  if (subject === undefined) throw new TokenRefused('invalid_request', 'subject_token is missing.');
  if (type !== tokenTypes.accessToken && type !== tokenTypes.jwt)
    throw new TokenRefused('invalid_request', `subject_token_type is ${tokenTypes.accessToken}.`);
  if (fields.has('actor_token')) throw new TokenRefused('invalid_request', 'actor_token is not supported.');
  if (fields.has('resource'))
    throw new TokenRefused('invalid_target', 'A token is for the keyspace of its key.');
  const wanted = fields.get('requested_token_type');
  if (wanted !== undefined && wanted !== tokenTypes.accessToken && wanted !== tokenTypes.jwt)
    throw new TokenRefused('invalid_request', `requested_token_type is ${tokenTypes.accessToken}.`);
  return await deriveToken(ports, { subject, ...termsOf(fields) });
}

async function byCredentials(
  ports: OAuthPorts,
  fields: FormFields,
  client: ClientAuth | undefined,
): Promise<DerivedToken> {
  const auth = client ?? credentialsIn(fields);
  if (auth === undefined) throw new TokenRefused('invalid_client', 'A key id and its key string are needed.');
  const verdict = await verdictOf(ports, auth.secret).catch((error: unknown) => {
    if (error instanceof TokenRefused && error.code === 'invalid_grant') throw invalidClient();
    throw error;
  });
  if (verdict.keyId !== auth.id) throw invalidClient();
  // A token that was derived of a key is no secret of its client.
  if (ports.verifier.find(auth.secret).held === null) throw invalidClient();
  return await deriveFrom(ports, verdict, { subject: auth.secret, ...termsOf(fields) });
}

function credentialsIn(fields: FormFields): ClientAuth | undefined {
  const id = fields.get('client_id');
  const secret = fields.get('client_secret');
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

function termsOf(fields: FormFields) {
  const scope = fields.get('scope');
  const expiresIn = fields.get('expires_in');
  if (expiresIn !== undefined && !/^[1-9]\d{0,8}$/.test(expiresIn))
    throw new TokenRefused('invalid_request', 'expires_in is a number of seconds.');
  return {
    scopes: scope === undefined ? undefined : scope.split(' ').filter((one) => one !== ''),
    audience: fields.get('audience'),
    ttlSeconds: expiresIn === undefined ? undefined : Number(expiresIn),
  };
}

function replyOf({ token, scopes, expiresInSeconds }: DerivedToken, isExchange: boolean): object {
  return {
    access_token: token,
    ...(isExchange ? { issued_token_type: tokenTypes.accessToken } : {}),
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
  };
}

function invalidClient(): TokenRefused {
  return new TokenRefused('invalid_client', 'The client or its secret is not valid.');
}

import type { FaultCode } from '@keyswarm/core';
import type { TSchema } from 'typebox';
import {
  authorizationServer,
  introspection,
  jwkSetReply,
  type OAuthErrorCode,
  oneTokenForm,
  statusListParams,
  statusListToken,
  tokenForm,
  tokenGrant,
  tokenRevoked,
} from '../schemas/oauth.ts';
import { type OAuthOperationId, oauthRoutes, type Route } from './routes.ts';

/*
 * OAuth, and what readers of tokens fetch. A table of its own: what comes in is a form, and what goes wrong has the words and
 * the statuses of RFC 6749, which no client of OAuth would find in a problem document.
 */

export interface OAuthOperation extends Route {
  readonly summary: string;
  readonly description: string;
  /** `client`: a key id and its key string, in the header or the form, where the grant asks for them. */
  readonly security: 'none' | 'client' | 'managementKey';
  readonly params?: TSchema;
  /** `application/x-www-form-urlencoded`. */
  readonly form?: TSchema;
  readonly reply: TSchema;
  readonly replyType: string;
  /** May be kept, and asked for again with its ETag. */
  readonly isCached: boolean;
  readonly errors: readonly OAuthErrorCode[];
  /** What is answered with a problem all the same. */
  readonly faults: readonly FaultCode[];
}

const json = 'application/json';
const everyForm = ['invalid_request', 'temporarily_unavailable', 'server_error'] as const;

export const oauthOperations: Readonly<Record<OAuthOperationId, OAuthOperation>> = Object.freeze({
  grantToken: {
    ...oauthRoutes.grantToken,
    summary: 'A narrower, shorter token for a key',
    description:
      'By token exchange (RFC 8693) or client credentials (RFC 6749 section 4.4, with a key as the secret). Possession of the key is authority enough. The token ends with its key, owner or keyspace.',
    security: 'client',
    form: tokenForm,
    reply: tokenGrant,
    replyType: json,
    isCached: false,
    errors: [
      ...everyForm,
      'invalid_grant',
      'invalid_scope',
      'invalid_target',
      'invalid_client',
      'unsupported_grant_type',
    ],
    faults: [],
  },
  introspectToken: {
    ...oauthRoutes.introspectToken,
    summary: 'Is a key or token good now?',
    description: 'RFC 7662. Of what is not, nothing else is said. Needs scope `keys:verify`.',
    security: 'managementKey',
    form: oneTokenForm,
    reply: introspection,
    replyType: json,
    isCached: false,
    errors: [...everyForm, 'invalid_client', 'insufficient_scope'],
    faults: [],
  },
  revokeToken: {
    ...oauthRoutes.revokeToken,
    summary: 'End a key by holding it',
    description: 'RFC 7009. Whoever holds a key may end it; what was none is answered in the same way.',
    security: 'none',
    form: oneTokenForm,
    reply: tokenRevoked,
    replyType: json,
    isCached: false,
    errors: [...everyForm, 'unsupported_token_type'],
    faults: [],
  },
  getJwks: {
    ...oauthRoutes.getJwks,
    summary: 'Public keys by which tokens are verified',
    description: 'RFC 7517: those that sign, that will, and that did.',
    security: 'none',
    reply: jwkSetReply,
    replyType: 'application/jwk-set+json',
    isCached: true,
    errors: [],
    faults: ['method_not_allowed'],
  },
  getAuthorizationServer: {
    ...oauthRoutes.getAuthorizationServer,
    summary: 'Where the endpoints of OAuth are',
    description: 'RFC 8414.',
    security: 'none',
    reply: authorizationServer,
    replyType: json,
    isCached: false,
    errors: [],
    faults: ['method_not_allowed'],
  },
  getStatusList: {
    ...oauthRoutes.getStatusList,
    summary: 'Which tokens were revoked or suspended',
    description: 'Token status list of a keyspace, in the form of a JWT; worth its `ttl`.',
    security: 'none',
    params: statusListParams,
    reply: statusListToken,
    replyType: 'application/statuslist+jwt',
    isCached: true,
    errors: [],
    faults: ['method_not_allowed', 'not_found', 'overloaded', 'store_unavailable'],
  },
} satisfies Record<OAuthOperationId, OAuthOperation>);

import Type, { type Static } from 'typebox';
import { keyspaceIdField, keyspaceRefField, listOf, ownerIdField, strictObject } from './fields.ts';

/* What OAuth clients and readers of tokens send and get: forms, replies, and errors in the words of its RFCs. */

const secretText = (description: string) => Type.String({ minLength: 1, 'x-secret': true, description });
const keyOrToken = 'A key string, or a token of one.';

export const grantTypes = {
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  clientCredentials: 'client_credentials',
} as const;

export const tokenTypes = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const;

const tokenType = Type.Enum(Object.values(tokenTypes), { type: 'string' });

/** RFC 8693 section 2.1 and RFC 6749 section 4.4.2. Parameters that are not known are ignored. */
export const tokenForm = Type.Object(
  {
    grant_type: Type.Enum(Object.values(grantTypes), { type: 'string' }),
    subject_token: Type.Optional(secretText(`${keyOrToken} Of an exchange.`)),
    subject_token_type: Type.Optional(tokenType),
    requested_token_type: Type.Optional(tokenType),
    client_id: Type.Optional(Type.String({ description: 'The id of a key, where not in the header.' })),
    client_secret: Type.Optional(secretText('Its key string, where not in the header.')),
    scope: Type.Optional(
      Type.String({ description: 'Scopes, separated by blanks; each covered by the key. All unless given.' }),
    ),
    audience: Type.Optional(keyspaceRefField),
    expires_in: Type.Optional(
      Type.String({
        pattern: '^[1-9]\\d{0,8}$',
        'x-expected': 'a whole number of seconds, of at most 9 digits',
        description: 'Seconds; no longer than the keyspace allows and the key lives.',
      }),
    ),
  },
  { title: 'TokenForm' },
);

export const tokenGrant = strictObject(
  {
    access_token: Type.String({ 'x-secret': true, description: 'A signed token (RFC 9068).' }),
    issued_token_type: Type.Optional(Type.Literal(tokenTypes.accessToken)),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ minimum: 0, description: 'Seconds.' }),
    scope: Type.Optional(Type.String({ description: 'Absent: none.' })),
  },
  { title: 'TokenGrant' },
);

/** RFC 7662 section 2.1 and RFC 7009 section 2.1. */
export const oneTokenForm = Type.Object({ token: secretText(keyOrToken) }, { title: 'OneTokenForm' });

export const introspection = strictObject(
  {
    active: Type.Boolean({
      description: 'False: it is worth nothing, for whatever reason; all else is absent.',
    }),
    scope: Type.Optional(Type.String()),
    client_id: Type.Optional(Type.String({ description: 'The id of the key.' })),
    sub: Type.Optional(ownerIdField),
    aud: Type.Optional(keyspaceIdField),
    iss: Type.Optional(Type.String()),
    token_type: Type.Optional(Type.Literal('Bearer')),
    exp: Type.Optional(Type.Integer({ description: 'Unix seconds.' })),
  },
  { title: 'Introspection' },
);

export const tokenRevoked = strictObject({}, { title: 'TokenRevoked' });

const jwk = Type.Object(
  {
    kty: Type.Enum(['OKP', 'EC'], { type: 'string' }),
    crv: Type.Enum(['Ed25519', 'P-256'], { type: 'string' }),
    x: Type.String(),
    y: Type.Optional(Type.String()),
    kid: Type.String({ description: 'Id of the signing key.' }),
    use: Type.Literal('sig'),
    alg: Type.Enum(['EdDSA', 'ES256'], { type: 'string' }),
  },
  { title: 'Jwk' },
);
export const jwkSetReply = strictObject({ keys: listOf(jwk) }, { title: 'JwkSet' });

export const authorizationServer = Type.Object(
  {
    issuer: Type.String(),
    token_endpoint: Type.String(),
    jwks_uri: Type.String(),
    introspection_endpoint: Type.String(),
    revocation_endpoint: Type.String(),
    response_types_supported: listOf(Type.String()),
    grant_types_supported: listOf(Type.String()),
    token_endpoint_auth_methods_supported: listOf(Type.String()),
    revocation_endpoint_auth_methods_supported: listOf(Type.String()),
    access_token_signing_alg_values_supported: listOf(Type.String()),
  },
  { title: 'AuthorizationServer' },
);

export const statusListParams = strictObject({
  id: Type.String({
    pattern: '^ks_[0-9a-z]{26}\\.(0|[1-9]\\d{0,5})$',
    'x-expected': 'the end of a uri in a token: the id of a keyspace, a dot and a number',
    description: 'Of a keyspace, with the number of the list: as the `uri` in a token says.',
  }),
});
export const statusListToken = Type.String({ description: 'A signed list: two bits a token.' });

/** RFC 6749 section 5.2, with those of RFC 6750, 7009 and 8693: the status of each, and what it means here. */
export const oauthErrors = Object.freeze({
  invalid_request: { status: 400, title: 'The form is not as it has to be' },
  invalid_grant: { status: 400, title: 'The key or token is not valid' },
  invalid_scope: { status: 400, title: 'More than the key may do' },
  invalid_target: { status: 400, title: 'Another keyspace than that of the key' },
  unsupported_grant_type: { status: 400, title: 'No such grant' },
  unsupported_token_type: { status: 400, title: 'A derived token ends with its key' },
  invalid_client: { status: 401, title: 'The client, or the management key, is not valid' },
  /** RFC 6750 section 3.1. */
  insufficient_scope: { status: 403, title: 'The management key may not do this' },
  temporarily_unavailable: {
    status: 503,
    title: 'Not now: freshness can not be proved, or there is too much to do',
  },
  server_error: { status: 500, title: 'Something broke' },
} as const);
export type OAuthErrorCode = keyof typeof oauthErrors;

export const oauthError = strictObject(
  {
    error: Type.Enum(Object.keys(oauthErrors) as OAuthErrorCode[], { type: 'string' }),
    error_description: Type.String(),
  },
  { title: 'OAuthError' },
);

export type TokenGrant = Static<typeof tokenGrant>;
export type Introspection = Static<typeof introspection>;

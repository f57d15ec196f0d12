import type { Introspection, TokenGrant } from '@keyswarm/contract';
import { Secret } from '@keyswarm/core';
import { callForm } from '../call/call-form.ts';
import type { CallContext, CallOptions } from '../call/call-operation.ts';
import { badShape } from '../call/read-reply.ts';

export interface TokenWish {
  /** A key string, or a token of one: whoever has it may do all that the new token can, so it needs no management key. */
  readonly subject_token: string | Secret;
  /** Fewer scopes than it has; all of them unless given. */
  readonly scopes?: readonly string[] | undefined;
  readonly audience?: string | undefined;
  /** Seconds; no longer than the keyspace allows. */
  readonly expires_in?: number | undefined;
}

/**
 * `client.tokens`: what the standards of OAuth have for keys. A refusal is a `KeyswarmError` with the code `token_refused`,
 * and the word of RFC 6749 in `extra.error`.
 */
export interface Tokens {
  /** A narrower, shorter token (RFC 8693), which ends with the key. */
  exchange(wish: TokenWish, options?: CallOptions): Promise<TokenGrant>;
  /** Is it good now? (RFC 7662) Asked by a management key with `keys:verify`. */
  introspect(token: string | Secret, options?: CallOptions): Promise<Introspection>;
  /** Ends the key that is given (RFC 7009), which needs no management key. */
  revoke(token: string | Secret, options?: CallOptions): Promise<void>;
}

const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

export function tokensOf(context: CallContext): Tokens {
  return {
    async exchange({ subject_token, scopes, audience, expires_in }, options) {
      const subject = secretOf(subject_token);
      const fields = {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token_type: accessToken,
        subject_token: subject.reveal(),
        ...(scopes === undefined ? {} : { scope: scopes.join(' ') }),
        ...(audience === undefined ? {} : { audience }),
        ...(expires_in === undefined ? {} : { expires_in: String(expires_in) }),
      };
      const reply = await callForm(context, { id: 'grantToken', fields, secret: subject }, options);
      if (typeof reply.access_token !== 'string')
        throw badShape('grantToken', 'The reply has no access_token.');
      return reply as unknown as TokenGrant;
    },
    async introspect(token, options) {
      const secret = secretOf(token);
      const fields = { token: secret.reveal() };
      const reply = await callForm(context, { id: 'introspectToken', fields, secret }, options);
      // Anything but a clear "yes" is none.
      if (typeof reply.active !== 'boolean')
        throw badShape('introspectToken', 'The reply does not say whether it is active.');
      return reply as unknown as Introspection;
    },
    async revoke(token, options) {
      const secret = secretOf(token);
      await callForm(context, { id: 'revokeToken', fields: { token: secret.reveal() }, secret }, options);
    },
  };
}

function secretOf(text: string | Secret): Secret {
  const secret = typeof text === 'string' ? new Secret(text) : text;
  if (secret.reveal() === '') throw new TypeError('a key or token is required');
  return secret;
}

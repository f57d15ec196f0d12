import { type OAuthOperationId, oauthRoutes } from '@keyswarm/contract/routes';
import type { Secret } from '@keyswarm/core';
import { type CallContext, type CallOptions, sendUntilDone } from './call-operation.ts';

export interface FormCall {
  readonly id: OAuthOperationId;
  readonly fields: Readonly<Record<string, string>>;
  /** The key or token in it, which no error may repeat. */
  readonly secret: Secret;
}

/** Sends a form, as OAuth has it, and again as the policy allows: what it asks for may be asked twice. */
export async function callForm(
  context: CallContext,
  { id, fields, secret }: FormCall,
  options: CallOptions = {},
): Promise<Readonly<Record<string, unknown>>> {
  const route = oauthRoutes[id];
  const request = {
    operationId: id,
    route,
    url: `${context.baseUrl}${route.path}`,
    body: new URLSearchParams(fields).toString(),
    contentType: 'application/x-www-form-urlencoded',
    sendsCredential: id === 'introspectToken',
    secret,
    idempotencyKey: undefined,
  };
  return (await sendUntilDone(context, request, options)) as Readonly<Record<string, unknown>>;
}

import type { OAuthOperation } from '../operations/oauth-operations.ts';
import { type OAuthErrorCode, oauthError, oauthErrors } from '../schemas/oauth.ts';
import type { JsonSchema, SchemaComponents } from './hoist-schemas.ts';

/** `Retry-After`, as every reply that may pass has it. */
const retryAfter = { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } };

/** What of an operation of OAuth is not as in the table: its body, its security, its errors. */
export function oauthParts(
  row: OAuthOperation,
  components: SchemaComponents,
): { readonly operation: JsonSchema; readonly responses: Readonly<Record<string, JsonSchema>> } {
  const { form, errors, isCached } = row;
  const responses: Record<string, JsonSchema> = {
    [row.status]: {
      description: row.summary,
      content: { [row.replyType]: { schema: components.refer(row.reply) } },
    },
    ...(isCached ? { 304: { description: 'As it was: the ETag of `If-None-Match` still holds.' } } : {}),
  };
  for (const [status, codes] of Object.entries(errorsByStatus(errors)))
    responses[status] = errorResponse(codes, components);
  return {
    operation: {
      ...(form === undefined
        ? {}
        : {
            requestBody: {
              required: true,
              content: { 'application/x-www-form-urlencoded': { schema: components.refer(form) } },
            },
          }),
      security: securityOf(row),
    },
    responses,
  };
}

function securityOf({ security }: OAuthOperation): readonly JsonSchema[] {
  if (security === 'none') return [];
  return security === 'client' ? [{}, { client: [] }] : [{ managementKey: [] }];
}

function errorsByStatus(codes: readonly OAuthErrorCode[]): Record<string, OAuthErrorCode[]> {
  const byStatus: Record<string, OAuthErrorCode[]> = {};
  for (const code of codes) {
    const list = byStatus[oauthErrors[code].status] ?? [];
    byStatus[oauthErrors[code].status] = list;
    list.push(code);
  }
  return byStatus;
}

function errorResponse(codes: readonly OAuthErrorCode[], components: SchemaComponents): JsonSchema {
  components.refer(oauthError);
  const exactly = { type: 'object', properties: { error: { type: 'string', enum: [...codes] } } };
  return {
    description: codes.map((code) => `\`${code}\`: ${oauthErrors[code].title}.`).join(' '),
    content: {
      'application/json': { schema: { allOf: [{ $ref: '#/components/schemas/OAuthError' }, exactly] } },
    },
    ...(codes.includes('temporarily_unavailable') ? { headers: retryAfter } : {}),
  };
}

import type { FaultCode } from '@keyswarm/core';
import type { TSchema } from 'typebox';
import { nothing } from '../schemas/fields.ts';
import { bodyLimitBytes } from '../wire-limits.ts';
import type { Route } from './routes.ts';

/*
 * One operation: all that the server, the SDK, the OpenAPI document and the log redaction need to know of it.
 * Handlers and client methods are typed from the table in `operations.ts`, so a message that changes its shape
 * changes it everywhere or doesn't compile.
 */

/**
 * Whose key authenticates an operation that no management key does: `key`, any key, which is what it is about;
 * `enrollment`, a key that is there to be exchanged.
 */
export type HolderKind = 'key' | 'enrollment';

/** A management scope. `null` in an operation: the holder of a key calls it (`holder`), or anyone may. */
export type ManagementScope =
  | 'workspaces:write'
  | 'keyspaces:read'
  | 'keyspaces:write'
  | 'owners:read'
  | 'owners:write'
  | 'keys:read'
  | 'keys:issue'
  | 'keys:update'
  | 'keys:rotate'
  | 'keys:revoke'
  | 'keys:suspend'
  | 'keys:verify'
  | 'keys:import'
  | 'campaigns:read'
  | 'campaigns:write'
  | 'approvals:read'
  | 'approvals:decide'
  | 'events:read'
  | 'feed:read'
  | 'signing_keys:read'
  | 'signing_keys:write'
  | 'verifiers:read'
  | 'metrics:read'
  | 'demo:start'
  | 'webhooks:read'
  | 'webhooks:write'
  | 'dead_letters:read'
  | 'dead_letters:write';

export interface OperationTerms {
  readonly summary: string;
  readonly description: string;
  readonly scope: ManagementScope | null;
  readonly holder?: HolderKind;
  /** May the scope be narrowed to one keyspace, as in `keys:issue:orders-live`? */
  readonly perKeyspace: boolean;
  readonly body?: TSchema;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly bodyLimitBytes?: number;
  readonly reply: TSchema;
  /** Media type of the reply; JSON unless said. */
  readonly replyType?: string;
  /** What it may answer beside that which every operation of its kind may. */
  readonly faults: readonly FaultCode[];
}

type Or<Terms, Part extends string, Else> = Terms extends { readonly [K in Part]: infer S } ? S : Else;

export type Operation<R extends Route, T extends OperationTerms> = R & {
  readonly summary: string;
  readonly description: string;
  readonly scope: T['scope'];
  /** Null: a management key authenticates it, or nothing does. */
  readonly holder: T extends { readonly holder: infer Kind } ? Kind : null;
  readonly perKeyspace: boolean;
  /** Validates the path parameters; `nothing` where there are none. */
  readonly params: Or<T, 'params', typeof nothing>;
  /** Validates the query string: text, never coerced. */
  readonly query: Or<T, 'query', typeof nothing>;
  /** Undefined for a GET. */
  readonly body: R['method'] extends 'GET' ? undefined : Or<T, 'body', typeof nothing>;
  /** Every field may be absent, so an absent body counts as `{}`. */
  readonly bodyOptional: boolean;
  readonly bodyLimitBytes: number;
  readonly response: {
    readonly status: R['status'];
    readonly schema: T['reply'];
    readonly contentType: string;
  };
  /** Every code that it may answer. */
  readonly faults: readonly FaultCode[];
};

/** Any row of the table, for those who walk all of it. */
export interface AnyOperation extends Route {
  readonly summary: string;
  readonly description: string;
  readonly scope: ManagementScope | null;
  readonly holder: HolderKind | null;
  readonly perKeyspace: boolean;
  readonly params: TSchema;
  readonly query: TSchema;
  readonly body: TSchema | undefined;
  readonly bodyOptional: boolean;
  readonly bodyLimitBytes: number;
  readonly response: { readonly status: number; readonly schema: TSchema; readonly contentType: string };
  readonly faults: readonly FaultCode[];
}

export function operation<const R extends Route, const T extends OperationTerms>(
  route: R,
  terms: T,
): Operation<R, T> {
  const takesBody = route.method !== 'GET';
  const body = takesBody ? (terms.body ?? nothing) : undefined;
  const limitBytes = takesBody ? (terms.bodyLimitBytes ?? bodyLimitBytes.common) : bodyLimitBytes.none;
  const whole = {
    ...route,
    summary: terms.summary,
    description: terms.description,
    scope: terms.scope,
    holder: terms.holder ?? null,
    perKeyspace: terms.perKeyspace,
    params: terms.params ?? nothing,
    query: terms.query ?? nothing,
    body,
    bodyOptional: body === undefined || !hasRequiredField(body),
    bodyLimitBytes: limitBytes,
    response: {
      status: route.status,
      schema: terms.reply,
      contentType: terms.replyType ?? 'application/json',
    },
    faults: faultsOf(route, terms),
  };
  // Each field was made as the mapped type says; the checker can't follow a conditional through `??`.
  return Object.freeze(whole) as unknown as Operation<R, T>;
}

function hasRequiredField(schema: TSchema): boolean {
  return 'required' in schema && Array.isArray(schema.required) && schema.required.length > 0;
}

/** What follows from the kind of the operation, so that no row can forget it. */
function faultsOf(route: Route, terms: OperationTerms): readonly FaultCode[] {
  const faults = new Set<FaultCode>(['method_not_allowed', 'internal']);
  const add = (...codes: FaultCode[]): void => {
    for (const code of codes) faults.add(code);
  };
  if (terms.scope !== null) add('forbidden');
  if (terms.scope !== null || terms.holder !== undefined) {
    add('unauthenticated', 'rate_limited', 'overloaded', 'shutting_down', 'stale');
    add('unknown_field', 'secret_in_url');
  }
  if (terms.params !== undefined) add('invalid_field', 'not_found');
  if (terms.query !== undefined) add('invalid_field');
  if (route.method !== 'GET') {
    add('invalid_json', 'unsupported_media_type', 'payload_too_large', 'invalid_field', 'missing_field');
  }
  if (route.mutates) add('store_unavailable', 'outcome_unknown');
  if (route.idempotent) add('idempotency_in_progress', 'idempotency_mismatch');
  for (const code of terms.faults) faults.add(code);
  return Object.freeze([...faults].sort());
}

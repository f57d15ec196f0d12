import { type FaultCode, faultRegistry } from '@keyswarm/core';
import { type OAuthOperation, oauthOperations } from '../operations/oauth-operations.ts';
import type { AnyOperation } from '../operations/operation.ts';
import { operationIds, operations } from '../operations/operations.ts';
import type { OperationId } from '../operations/routes.ts';
import { problem } from '../schemas/problem.ts';
import { readiness } from '../schemas/service.ts';
import { idempotencyKeyPattern } from '../wire-limits.ts';
import { oauthParts } from './describe-oauth.ts';
import { isRecord, type JsonSchema, SchemaComponents } from './hoist-schemas.ts';

/*
 * The OpenAPI 3.1 document, built from the table of operations: there is no second description of the API that
 * could disagree with the first. Since 3.1 its schemas are JSON Schema 2020-12, so ours stand in it as they are,
 * but for query parameters, which are validated as text and described as what the text means (`x-parameter`).
 */

export interface OpenApiOptions {
  /** Version of the server. */
  readonly version: string;
  /** Where it is reached, if it knows. */
  readonly serverUrl?: string;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: JsonSchema;
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly [further: string]: unknown;
}

export function buildOpenApi(options: OpenApiOptions): OpenApiDocument {
  const components = new SchemaComponents();
  components.refer(problem);
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const id of operationIds) {
    const row: AnyOperation = operations[id];
    const path = openApiPathOf(row.path);
    const methods = paths[path] ?? {};
    paths[path] = methods;
    methods[row.method.toLowerCase()] = describe(id, row, components);
  }
  for (const [id, row] of Object.entries(oauthOperations)) {
    paths[openApiPathOf(row.path)] = { [row.method.toLowerCase()]: describeOAuth(id, row, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Keyswarm',
      version: options.version,
      description: 'Issue, verify, rotate and revoke provisioning keys.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    ...(options.serverUrl === undefined ? {} : { servers: [{ url: options.serverUrl }] }),
    security: [{ managementKey: [] }],
    paths,
    components: {
      schemas: components.all(),
      parameters: { IdempotencyKey: idempotencyKeyParameter },
      headers: { RetryAfter: retryAfterHeader },
      securitySchemes: {
        managementKey: { type: 'http', scheme: 'bearer', description: 'A management key.' },
        key: { type: 'http', scheme: 'bearer', description: 'The key that is asked about, of any keyspace.' },
        client: { type: 'http', scheme: 'basic', description: 'The id of a key, and its key string.' },
        enrollment: { type: 'http', scheme: 'bearer', description: 'An enrollment key.' },
      },
    },
  };
}

/** `/v1/keys/:id/rotate` → `/v1/keys/{id}/rotate`. */
export function openApiPathOf(path: string): string {
  return path.replace(/:([a-z_]+)/g, '{$1}');
}

const idempotencyKeyParameter: JsonSchema = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key and the same request: one effect, and the same reply, its secret included.',
  schema: { type: 'string', pattern: idempotencyKeyPattern },
};

const retryAfterHeader: JsonSchema = {
  description: 'Seconds to wait before the same request is sent again.',
  schema: { type: 'integer', minimum: 0 },
};

function describe(id: OperationId, row: AnyOperation, components: SchemaComponents): JsonSchema {
  const parameters = [
    ...parametersOf('path', row.params, components),
    ...parametersOf('query', row.query, components),
    ...(row.idempotent ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
  ];
  return {
    operationId: id,
    tags: [tagOf(row.path)],
    summary: row.summary,
    description: descriptionOf(row),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(row.body === undefined ? {} : { requestBody: bodyOf(row, components) }),
    responses: responsesOf(id, row, components),
    ...(row.scope === null
      ? { security: row.holder === null ? [] : [{ [row.holder]: [] }] }
      : { 'x-scope': row.scope, 'x-scope-per-keyspace': row.perKeyspace }),
  };
}

function describeOAuth(id: string, row: OAuthOperation, components: SchemaComponents): JsonSchema {
  const { operation, responses } = oauthParts(row, components);
  const parameters = parametersOf('path', row.params, components);
  const problems = Object.entries(codesByStatus(row.faults)).map(
    ([status, codes]) => [status, problemResponse(codes)] as const,
  );
  return {
    operationId: id,
    tags: ['oauth'],
    summary: row.summary,
    description: row.description,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...operation,
    responses: { ...responses, ...Object.fromEntries(problems) },
  };
}

function tagOf(path: string): string {
  const [, first, second] = path.split('/');
  return first === 'v1' && second !== undefined ? second : 'service';
}

function descriptionOf(row: AnyOperation): string {
  if (row.scope === null) return row.description;
  const narrowed = row.perKeyspace ? `, or \`${row.scope}:<keyspace>\` for one keyspace` : '';
  return `${row.description} Needs scope \`${row.scope}\`${narrowed}.`;
}

function bodyOf(row: AnyOperation, components: SchemaComponents): JsonSchema {
  return {
    required: !row.bodyOptional,
    content: { 'application/json': { schema: components.refer(row.body) } },
  };
}

function parametersOf(place: 'path' | 'query', schema: unknown, components: SchemaComponents): JsonSchema[] {
  if (!isRecord(schema) || !isRecord(schema.properties)) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).map(([name, property]) => {
    const { description, 'x-parameter': meaning, ...text } = isRecord(property) ? property : {};
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      ...(isRecord(meaning) ? meaning : { schema: components.refer(text) }),
    };
  });
}

function responsesOf(id: OperationId, row: AnyOperation, components: SchemaComponents): JsonSchema {
  const responses: Record<string, JsonSchema> = {
    [row.response.status]: {
      description: row.summary,
      content: { [row.response.contentType]: { schema: components.refer(row.response.schema) } },
    },
  };
  for (const [status, codes] of Object.entries(codesByStatus(row.faults))) {
    responses[status] = problemResponse(codes);
  }
  if (id === 'readyz') {
    const schema = components.refer(readiness);
    responses[503] = { description: 'Not ready', content: { 'application/json': { schema } } };
  }
  return responses;
}

function codesByStatus(codes: readonly FaultCode[]): Record<string, FaultCode[]> {
  const byStatus: Record<string, FaultCode[]> = {};
  for (const code of codes) {
    const list = byStatus[faultRegistry[code].status] ?? [];
    byStatus[faultRegistry[code].status] = list;
    list.push(code);
  }
  return byStatus;
}

function problemResponse(codes: readonly FaultCode[]): JsonSchema {
  const lines = codes.map((code) => `\`${code}\`: ${faultRegistry[code].title}.`);
  const exactly = { type: 'object', properties: { code: { type: 'string', enum: [...codes] } } };
  const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, exactly] };
  const retryable = codes.some((code) => faultRegistry[code].retryable);
  return {
    description: lines.join(' '),
    content: { 'application/problem+json': { schema } },
    ...(retryable ? { headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } } : {}),
  };
}

import { faultRegistry } from '@keyswarm/core';
import type { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { buildOpenApi, oauthErrors, oauthOperations, operationIds, operations } from '../index.ts';
import { SchemaComponents } from './hoist-schemas.ts';

const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default;
const document = JSON.parse(JSON.stringify(buildOpenApi({ version: '1.2.3' })));

interface DescribedOperation {
  readonly operationId: string;
  readonly parameters?: readonly Record<string, unknown>[];
  readonly requestBody?: { readonly required: boolean; readonly content: Record<string, unknown> };
  readonly responses: Record<string, { readonly content?: Record<string, { schema: object }> }>;
  readonly security?: readonly unknown[];
}

const described = new Map<string, DescribedOperation>();
for (const methods of Object.values<Record<string, DescribedOperation>>(document.paths)) {
  for (const op of Object.values(methods)) described.set(op.operationId, op);
}
const of = (id: string): DescribedOperation => {
  const found = described.get(id);
  if (found === undefined) throw new Error(`${id} is not described`);
  return found;
};

describe('the OpenAPI document', () => {
  it('is 3.1 and describes every operation once, at its path and method', () => {
    expect(document.openapi).toBe('3.1.0');
    expect([...described.keys()].sort()).toEqual([...operationIds, ...Object.keys(oauthOperations)].sort());
    expect(document.paths['/v1/keys/{id}/rotate'].post.operationId).toBe('rotateKey');
    expect(Object.keys(document.paths).every((path) => !path.includes(':'))).toBe(true);
  });

  it('refers only to what is there', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(refs.length).toBeGreaterThan(50);
    for (const ref of new Set(refs)) {
      let node = document;
      for (const step of ref.slice(2).split('/')) node = node?.[step];
      expect(node, ref).toBeDefined();
    }
  });

  it('holds only valid JSON Schema 2020-12, strictly, with two words of its own', () => {
    const ajv = new Ajv2020({ strict: true }).addVocabulary(['x-secret']);
    addFormats(ajv as unknown as Ajv);
    // Referenced by its place in the document, so that references inside resolve as a reader's would.
    ajv.addKeyword({ keyword: 'components', schemaType: 'object' });
    ajv.addSchema({ $id: 'document', components: document.components });
    const placed = (schema: object): object =>
      JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/'));
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      expect(() => ajv.compile({ $ref: `document#/components/schemas/${name}` }), name).not.toThrow();
      expect(schema).toHaveProperty('title', name);
    }
    for (const op of described.values()) {
      for (const parameter of op.parameters ?? []) {
        const { schema } = parameter as { schema?: object };
        if (schema !== undefined) expect(() => ajv.compile(placed(schema))).not.toThrow();
      }
      for (const response of Object.values(op.responses)) {
        for (const { schema } of Object.values(response.content ?? {})) {
          expect(() => ajv.compile(placed(schema))).not.toThrow();
        }
      }
    }
  });

  it('says of each operation every status it may answer with, as a problem', () => {
    for (const id of operationIds) {
      const wanted = new Set([operations[id].response.status as number]);
      for (const code of operations[id].faults) wanted.add(faultRegistry[code].status);
      if (id === 'readyz') wanted.add(503);
      expect(new Set(Object.keys(of(id).responses).map(Number)), id).toEqual(wanted);
    }
    expect(of('rotateKey').responses['409']?.content).toHaveProperty(['application/problem+json']);
  });

  it('asks for a management key everywhere but where the holder of a key asks, or anyone may', () => {
    expect(document.security).toEqual([{ managementKey: [] }]);
    for (const id of operationIds) {
      const { scope, holder } = operations[id];
      const open = holder === null ? [] : [{ [holder]: [] }];
      expect(of(id).security, id).toEqual(scope === null ? open : undefined);
    }
    expect(of('renewSelf').security).toEqual([{ key: [] }]);
    expect(of('enrollKey').security).toEqual([{ enrollment: [] }]);
  });

  it('says what the text of a query means, and asks for path parameters', () => {
    expect(of('listKeys').parameters).toContainEqual(
      expect.objectContaining({
        name: 'limit',
        in: 'query',
        required: false,
        schema: expect.objectContaining({ type: 'integer', maximum: 200 }),
      }),
    );
    expect(of('listEvents').parameters).toContainEqual(
      expect.objectContaining({ name: 'types', explode: false }),
    );
    expect(of('getKey').parameters).toContainEqual(
      expect.objectContaining({ name: 'id', in: 'path', required: true }),
    );
    expect(of('issueKey').parameters).toEqual([{ $ref: '#/components/parameters/IdempotencyKey' }]);
    expect(of('suspendKey').requestBody?.required).toBe(false);
    expect(of('issueKey').requestBody?.required).toBe(true);
  });

  it('tells of forms as forms, and of every error of OAuth at its status', () => {
    const bodies = Object.keys(oauthOperations).map((id) => Object.keys(of(id).requestBody?.content ?? {}));
    const form = ['application/x-www-form-urlencoded'];
    expect(bodies).toEqual([form, form, form, [], [], []]);
    for (const [id, { errors }] of Object.entries(oauthOperations)) {
      for (const code of errors) {
        const response = of(id).responses[oauthErrors[code].status];
        expect(JSON.stringify(response?.content?.['application/json']), `${id} ${code}`).toContain(code);
      }
    }
    expect(of('introspectToken').security).toEqual([{ managementKey: [] }]);
    expect(of('grantToken').security).toEqual([{}, { client: [] }]);
    expect(Object.keys(of('getJwks').responses)).toEqual(['200', '304', '405']);
  });

  it('is the same document every time', () => {
    expect(JSON.stringify(buildOpenApi({ version: '1.2.3' }))).toBe(
      JSON.stringify(buildOpenApi({ version: '1.2.3' })),
    );
  });

  it('can not be built from two different schemas of one title', () => {
    const components = new SchemaComponents();
    components.refer({ title: 'Key', type: 'string' });
    expect(() => components.refer({ title: 'Key', type: 'integer' })).toThrow(
      'two schemas have the title Key',
    );
  });
});

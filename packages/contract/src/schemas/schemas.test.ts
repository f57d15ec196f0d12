import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { type AnyOperation, oauthOperations, operationIds, operations } from '../index.ts';

// CommonJS: the function is the module itself for Node, and its `default` for the type checker.
const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default;

const vocabulary = ['x-secret', 'x-parameter', 'x-expected'];
const options = { strict: true, allErrors: false, coerceTypes: false, removeAdditional: false } as const;

function newAjv(): Ajv {
  const ajv = new Ajv(options).addVocabulary(vocabulary);
  addFormats(ajv);
  return ajv;
}

const rows = operationIds.map((id) => ({ id, row: operations[id] as AnyOperation }));
const ajv = newAjv();
const accepts = (schema: unknown, value: unknown): boolean => ajv.validate(schema as object, value);
/** The schema path of what was refused, so that a test can't pass for another reason than the one it means. */
const refusal = (schema: unknown, value: unknown): string =>
  accepts(schema, value)
    ? 'accepted'
    : (ajv.errors ?? []).map((e) => `${e.instancePath} ${e.keyword}`).join();

describe('schemas of every operation', () => {
  it.each(rows)('$id: is strict JSON Schema for both drafts the house meets', ({ row }) => {
    const newer = new Ajv2020(options).addVocabulary(vocabulary);
    addFormats(newer as unknown as Ajv);
    for (const schema of [row.params, row.query, row.body, row.response.schema]) {
      if (schema === undefined) continue;
      expect(() => ajv.compile(schema)).not.toThrow();
      expect(() => newer.compile(schema)).not.toThrow();
    }
  });

  it.each(rows)(
    '$id: bounds every string, list and map of a request, and refuses unknown fields',
    ({ id, row }) => {
      const loose: string[] = [];
      for (const [part, schema] of Object.entries({ params: row.params, query: row.query, body: row.body })) {
        if (schema !== undefined) walk(schema as Node, part, loose);
      }
      // Whatever a client sent as a key is a question with an answer: the body limit bounds it, not the schema.
      const meant = { verifyKey: ['body.key'], verifyKeysBulk: ['body.keys.key'] } as Record<
        string,
        string[]
      >;
      expect(loose).toEqual(meant[id] ?? []);
    },
  );
});

describe('what is wrong with a request', () => {
  const requests = [...rows, ...Object.entries(oauthOperations).map(([id, row]) => ({ id, row }))];

  it.each(requests)('$id: is told in words wherever a pattern decides it', ({ row }) => {
    const { params, query, body } = row as Partial<AnyOperation>;
    expect(wordless({ params, query, body })).toEqual([]);
  });

  it('is looked for in every corner of a schema', () => {
    const pattern = '^a$';
    const map = { propertyNames: { pattern }, additionalProperties: { pattern, 'x-expected': 'an a' } };
    expect(wordless({ properties: { pattern: map, list: { items: { pattern } } } })).toEqual([
      '/properties/pattern/propertyNames',
      '/properties/list/items',
    ]);
  });
});

/** Where a pattern stands and no words for it. */
function wordless(node: unknown, path = ''): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { pattern, 'x-expected': words } = node as Node;
  const isWordless = typeof pattern === 'string' && typeof words !== 'string';
  const within = Object.entries(node).flatMap(([name, part]) => wordless(part, `${path}/${name}`));
  return isWordless ? [path, ...within] : within;
}

interface Node {
  readonly type?: string | readonly string[];
  readonly enum?: unknown;
  readonly const?: unknown;
  readonly properties?: Record<string, Node>;
  readonly items?: Node;
  readonly additionalProperties?: boolean | Node;
  readonly [keyword: string]: unknown;
}

function walk(node: Node, path: string, loose: string[]): void {
  const types = [node.type ?? []].flat();
  if (types.includes('string') && !isBoundedString(node)) loose.push(path);
  if (types.includes('array') && node.maxItems === undefined) loose.push(path);
  if (
    types.includes('integer') &&
    (node.minimum === undefined || (node.maximum === undefined && !path.endsWith('if_revision')))
  )
    loose.push(path);
  if (types.includes('object')) {
    const open = node.additionalProperties;
    if (open !== false && (node.maxProperties === undefined || typeof open !== 'object')) loose.push(path);
    if (typeof open === 'object') walk(open, `${path}.*`, loose);
    for (const [name, part] of Object.entries(node.properties ?? {})) walk(part, `${path}.${name}`, loose);
  }
  if (node.items !== undefined) walk(node.items, path, loose);
}

function isBoundedString(node: Node): boolean {
  if (node.enum !== undefined || node.const !== undefined) return true;
  if (typeof node.maxLength !== 'number' || typeof node.pattern !== 'string') return false;
  return !new RegExp(node.pattern, 'u').test('\u0000');
}

const issue = {
  keyspace: 'orders-live',
  owner: { kind: 'service', external_id: 'billing' },
  scopes: ['orders:read'],
};

describe('messages', () => {
  const body = operations.issueKey.body;

  it('accept what the design shows', () => {
    expect(accepts(body, { ...issue, name: 'billing prod', ttl_seconds: 3600, metadata: {} })).toBe(true);
    const keyspace = {
      name: 'orders-live',
      prefix: 'orders_live',
      format: 'opaque',
      allowed_scopes: ['orders:*'],
    };
    expect(
      accepts(operations.createKeyspace.body, {
        ...keyspace,
        default_ttl_seconds: 7776000,
        lease_seconds: 30,
      }),
    ).toBe(true);
    expect(accepts(operations.rotateKey.body, { grace_seconds: 600 })).toBe(true);
    expect(accepts(operations.rotateKey.body, {})).toBe(true);
    expect(accepts(operations.updateKey.body, { expires_at: null })).toBe(true);
    expect(accepts(operations.listKeys.query, { state: 'active', limit: '200' })).toBe(true);
    expect(accepts(operations.listEvents.query, { types: 'key.issued,key.revoked' })).toBe(true);
  });

  it.each([
    ['an unknown field', { ...issue, colour: 'red' }, ' additionalProperties'],
    [
      'an unknown field further in',
      { ...issue, owner: { ...issue.owner, x: 1 } },
      '/owner additionalProperties',
    ],
    ['a missing field', { owner: issue.owner, scopes: [] }, ' required'],
    ['a number in the place of a text', { ...issue, keyspace: 7 }, '/keyspace type'],
    ['a text in the place of a number', { ...issue, ttl_seconds: '3600' }, '/ttl_seconds type'],
    ['a broken number', { ...issue, ttl_seconds: 1.5 }, '/ttl_seconds type'],
    ['NUL', { ...issue, name: 'a\u0000b' }, '/name pattern'],
    ['a line feed in a name', { ...issue, name: 'a\nb' }, '/name pattern'],
    ['half a character', { ...issue, metadata: { a: '\ud83d' } }, '/metadata/a pattern'],
    [
      'half a character in a map key',
      { ...issue, metadata: { '\udc1d': 'a' } },
      '/metadata pattern,/metadata propertyNames',
    ],
    [
      'an empty external id',
      { ...issue, owner: { kind: 'user', external_id: '' } },
      '/owner/external_id minLength',
    ],
    ['an unknown owner kind', { ...issue, owner: { kind: 'robot', external_id: 'a' } }, '/owner/kind enum'],
    ['65 scopes', { ...issue, scopes: Array(65).fill('a') }, '/scopes maxItems'],
    ['a time without a zone', { ...issue, expires_at: '2030-01-01T00:00:00' }, '/expires_at pattern'],
    ['a time with a blank', { ...issue, expires_at: '2030-01-01 00:00:00Z' }, '/expires_at pattern'],
    ['a minute of 61 seconds', { ...issue, expires_at: '2016-12-31T23:59:60Z' }, '/expires_at pattern'],
  ])('of a key to issue are refused for %s', (_, value, where) => {
    expect(refusal(body, value)).toBe(where);
  });

  it('let whole characters of every plane through', () => {
    expect(accepts(body, { ...issue, name: 'Schlüssel 🐝', metadata: { ключ: 'a\nb' } })).toBe(true);
  });

  it('hold 1 to 1,000 items in bulk', () => {
    const bulk = operations.issueKeysBulk.body;
    expect(refusal(bulk, { keys: [] })).toBe('/keys minItems');
    expect(accepts(bulk, { keys: Array(1000).fill(issue) })).toBe(true);
    expect(refusal(bulk, { keys: Array(1001).fill(issue) })).toBe('/keys maxItems');
  });

  it('of a verification take any text at all as a key', () => {
    const verify = operations.verifyKey.body;
    for (const key of ['', '\u0000', '\ud800', 'x'.repeat(1_000_000)])
      expect(accepts(verify, { key })).toBe(true);
    expect(refusal(verify, { key: 7 })).toBe('/key type');
  });

  it('without content refuse any field', () => {
    expect(accepts(operations.suspendKey.body, {})).toBe(true);
    expect(refusal(operations.suspendKey.body, { reason: 'x' })).toBe(' additionalProperties');
  });

  it.each(['0', '201', '007', '1e2', '-1', ' 1', '1.0', ''])('of a list refuse the limit "%s"', (limit) => {
    expect(accepts(operations.listKeys.query, { limit })).toBe(false);
  });

  it('never take a keyspace name for an id', () => {
    expect(refusal(operations.createKeyspace.body, { name: 'ks_a', prefix: 'a', allowed_scopes: [] })).toBe(
      '/name pattern',
    );
  });

  it.each([
    'key_01J8',
    'key_81j8zq4v6hfxk7n5m2c3b1a9de',
    'KEY_01j8zq4v6hfxk7n5m2c3b1a9de',
    'own_01j8zq4v6hfxk7n5m2c3b1a9de',
  ])('refuse %s as the id of a key', (id) => {
    expect(refusal(operations.getKey.params, { id })).toMatch(/^\/id pattern/);
  });
});

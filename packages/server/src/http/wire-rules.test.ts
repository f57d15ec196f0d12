import { Fault, mintKeyString } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import { systemRandom } from '../runtime/random.ts';
import { bearerOf } from './authenticate.ts';
import { hasKeyString } from './secret-in-url.ts';
import { schemaCompiler } from './validate.ts';

const key = mintKeyString('orders_live', (count) => systemRandom.bytes(count));

describe('a bearer token', () => {
  test.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['Bearer   abc', 'abc'],
    ['Bearer ', undefined],
    ['Bearer', undefined],
    ['Basic abc', undefined],
    ['Bearerabc', undefined],
    ['', undefined],
    [undefined, undefined],
    [`Bearer ${'x'.repeat(5000)}`, undefined],
  ])('of %j is %j', (header, token) => {
    expect(bearerOf(header)).toBe(token);
  });
});

describe('a key string in a URL', () => {
  const everyCharacter = [...key].map((character) => `%${character.charCodeAt(0).toString(16)}`).join('');
  test.each([
    `/v1/keys/${key}`,
    `/?a=${key}&b`,
    `/${everyCharacter}`,
    `/${key.replaceAll('_', '%5f')}`,
    `/%zz${key}`,
    '/?access_token=eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwczovL2tleXMifQ.c2lnbmVk',
  ])('is found: %s', (url) => {
    expect(hasKeyString(url)).toBe(true);
  });

  test.each([
    '/v1/keys/key_01h455vb4pex5vsknk084sn02q',
    `/${key.slice(0, -1)}`,
    '/',
    '/%',
    `/${'a_'.repeat(4000)}`,
    `/${'.eyJ'.repeat(3000)}`,
    '/files/report.eyJ',
  ])('is not seen where there is none: %s', (url) => {
    expect(hasKeyString(url)).toBe(false);
  });
});

describe('a schema that refuses', () => {
  const compile = schemaCompiler();
  const faultFor = (schema: object, value: unknown, httpPart = 'body'): Fault => {
    const result = compile({ schema, method: 'POST', url: '/', httpPart })(value);
    if (typeof result === 'object' && result !== null && 'error' in result && result.error instanceof Fault) {
      return result.error;
    }
    throw new Error('it was accepted');
  };
  const strict = (properties: object, required: string[] = []) => ({
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  });

  test.each([
    [strict({}), { 'a/b~': 1 }, 'unknown_field', '/a~1b~0', 'no fields'],
    [
      strict({ key: {}, scopes: {} }),
      { scope: 1 },
      'unknown_field',
      '/scope',
      'one of key, scopes; did you mean scopes?',
    ],
    [strict({ key: {}, scopes: {} }), { colour: 1 }, 'unknown_field', '/colour', 'one of key, scopes'],
    [strict({ a: {} }, ['a']), {}, 'missing_field', '/a', 'another value'],
    [strict({ a: { type: 'object' } }, ['a']), {}, 'missing_field', '/a', 'an object'],
    [strict({ a: strict({ b: {} }) }), { a: 'b' }, 'invalid_field', '/a', 'an object with the fields b'],
    [strict({}), [], 'invalid_field', '', 'a JSON object'],
    [strict({ a: { type: 'integer' } }), { a: '1' }, 'invalid_field', '/a', 'a whole number'],
    [strict({ a: { type: ['string', 'null'] } }), { a: 1 }, 'invalid_field', '/a', 'text or null'],
    [
      strict({ a: { type: 'array', items: { type: 'string', 'x-expected': 'an a' } } }),
      { a: 'x' },
      'invalid_field',
      '/a',
      'a list, each item of it an a',
    ],
    [
      strict({ a: { type: ['string', 'null'], pattern: '^a$', 'x-expected': 'an a' } }),
      { a: 'b' },
      'invalid_field',
      '/a',
      'an a, or null',
    ],
    [
      strict({ a: { type: 'string', maxLength: 1, 'x-expected': 'an a' } }),
      { a: 'aa' },
      'invalid_field',
      '/a',
      'an a, at most 1 character',
    ],
    [
      strict({
        a: { type: 'object', propertyNames: { type: 'string', pattern: '^a$', 'x-expected': 'an a' } },
      }),
      { a: { b: 1 } },
      'invalid_field',
      '/a',
      'names that are each an a',
    ],
    [{ ...strict({ a: {}, b: {} }), minProperties: 1 }, {}, 'invalid_field', '', 'at least 1 of a, b'],
    [
      strict({ a: { anyOf: [{ type: 'integer' }, { const: 'all' }], 'x-expected': 'a count, or "all"' } }),
      { a: 'some' },
      'invalid_field',
      '/a',
      'a count, or "all"',
    ],
    [strict({ a: { type: 'integer', maximum: 5 } }), { a: 6 }, 'invalid_field', '/a', 'at most 5'],
    [strict({ a: { type: 'string', enum: ['x', 'y'] } }), { a: 'z' }, 'invalid_field', '/a', 'one of x, y'],
    [
      strict({ a: { type: 'string', format: 'date-time' } }),
      { a: 'z' },
      'invalid_field',
      '/a',
      'an RFC 3339 time',
    ],
  ])('%j, given %j: %s at %s', (schema, value, code, field, expected) => {
    expect(faultFor(schema, value)).toMatchObject({ code, field, ...(expected ? { expected } : {}) });
  });

  test('repeats no more of a name than it has room for, and nothing of one with a key in it', () => {
    expect(faultFor(strict({}), { ['x'.repeat(60_000)]: 1 }).field).toHaveLength(129);
    const map = strict({ a: { type: 'object', additionalProperties: { type: 'string' } } });
    expect(faultFor(map, { a: { ['x'.repeat(60_000)]: 1 } }).field).toHaveLength(131);
    expect(faultFor(strict({ a: {} }), { [key]: 1 })).toMatchObject({ field: '', expected: 'one of a' });
  });

  test('names a parameter by its name, and repeats no value', () => {
    expect(
      faultFor(strict({ limit: { type: 'string', pattern: '^1$' } }), { limit: key }, 'querystring'),
    ).toMatchObject({
      field: 'limit',
    });
    expect(JSON.stringify(faultFor(strict({ a: { type: 'integer' } }), { a: key }))).not.toContain(key);
  });
});

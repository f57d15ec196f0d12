import { describe, expect, it } from 'vitest';
import { type ImportDefaults, importRowReader } from './import-row.ts';

const hash = 'ab'.repeat(32);
const defaults: ImportDefaults = {
  format: 'sha256-hex',
  keyspace: 'orders-live',
  owner: 'service:old',
  scopes: ['orders:read'],
  ttl: '90d',
};

describe('a line of JSON', () => {
  const read = importRowReader('ndjson', defaults);

  it('takes what it leaves out from the options', () => {
    expect(read({ number: 1, text: JSON.stringify({ hash }) })).toEqual({
      keyspace: 'orders-live',
      owner: { kind: 'service', external_id: 'old' },
      scopes: ['orders:read'],
      hash: { format: 'sha256-hex', value: hash },
      ttl_seconds: 7_776_000,
    });
  });

  it('has the last word, and an expiry of its own sets the default life aside', () => {
    const text = JSON.stringify({
      hash,
      owner: 'user:u1',
      keyspace: 'other',
      scopes: [],
      name: 'n',
      expires_at: '2030-01-01T00:00:00Z',
      metadata: { team: 'a' },
    });
    expect(read({ number: 1, text })).toEqual({
      keyspace: 'other',
      owner: { kind: 'user', external_id: 'u1' },
      scopes: [],
      hash: { format: 'sha256-hex', value: hash },
      name: 'n',
      expires_at: '2030-01-01T00:00:00Z',
      metadata: { team: 'a' },
    });
  });

  it.each([
    [`{"hash":"${hash}"`, 'line 7: it is not JSON'],
    ['[]', 'line 7: it is not a JSON object'],
    ['{}', 'line 7: it has no hash'],
    [`{"hash":"${hash}","expires":"2030-01-01"}`, 'line 7: "expires" is not known'],
    [`{"hash":"${hash}","scopes":"orders:read"}`, 'line 7: scopes is not a list'],
    [`{"hash":"${hash}","metadata":{"a":1}}`, 'line 7: metadata is not an object of texts'],
    ['{"hash":1}', 'line 7: hash is not text'],
    [`{"hash":"${hash}","expires_at":"2030-01-01"}`, '"2030-01-01" is not an instant'],
  ])('is refused with its number and without its content: %s', (text, said) => {
    expect(() => read({ number: 7, text })).toThrow(said);
    expect(() => read({ number: 7, text })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(hash) }),
    );
  });
});

describe('a line of CSV', () => {
  it('is read by the columns that the first line names', () => {
    const read = importRowReader('csv', defaults);
    expect(read({ number: 1, text: 'hash,owner,scopes,metadata.team' })).toBeUndefined();
    expect(read({ number: 2, text: `${hash},service:a,"orders:read orders:write",core` })).toMatchObject({
      owner: { kind: 'service', external_id: 'a' },
      scopes: ['orders:read', 'orders:write'],
      metadata: { team: 'core' },
    });
    expect(read({ number: 3, text: `${hash},,,` })).toMatchObject({
      owner: { kind: 'service', external_id: 'old' },
      scopes: ['orders:read'],
    });
  });

  it('is refused when it has other cells than columns, or a column that is not known', () => {
    const read = importRowReader('csv', defaults);
    read({ number: 1, text: 'hash,name' });
    expect(() => read({ number: 2, text: hash })).toThrow('line 2: it has 1 cells');
    for (const column of ['expiry', 'metadata']) {
      const header = importRowReader('csv', defaults);
      expect(() => header({ number: 1, text: `hash,${column}` })).toThrow(`line 1: "${column}" is not known`);
    }
  });

  it('may have cells under no name, as spreadsheets leave them, while they are empty', () => {
    const read = importRowReader('csv', defaults);
    read({ number: 1, text: 'hash,,' });
    expect(read({ number: 2, text: `${hash},,` })).toMatchObject({ hash: { value: hash } });
    expect(() => read({ number: 3, text: `${hash},,x` })).toThrow('line 3: "" is not known');
  });
});

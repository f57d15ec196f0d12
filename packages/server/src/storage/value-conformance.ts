import { describe, expect, test } from 'vitest';
import type { Statement, Store } from './store.ts';

/** The part of the store's conformance that says how values travel. */

const sql = (text: string): Statement => ({ name: '', text });

export function describeValues(store: () => Store): void {
  const echo = async (type: string, value: unknown): Promise<unknown> =>
    (await store().query(sql(`select $1::${type} as value`), [value]))[0]?.value;

  describe('a value comes back as it went', () => {
    const uuid = '0190a0b0-1c2d-7e3f-8a9b-0c1d2e3f4a5b';
    const cases: readonly (readonly [type: string, value: unknown])[] = [
      ['text', 'plain'],
      ['text', ''],
      ['text', `quotes ' " \\ {braces}, commas, NULL, ünïcödé 🔑\n\t`],
      ['uuid', uuid],
      ['boolean', true],
      ['boolean', false],
      ['smallint', -32_768],
      ['integer', 2_147_483_647],
      ['bigint', Number.MAX_SAFE_INTEGER],
      ['bigint', Number.MIN_SAFE_INTEGER],
      ['double precision', 0.1],
      ['bytea', new Uint8Array()],
      ['bytea', Uint8Array.from({ length: 256 }, (_, index) => index)],
      ['jsonb', { a: 1, b: [true, null, { c: 'ü"\\' }] }],
      ['json', { b: 1, a: 2 }],
      ['text[]', []],
      ['text[]', ['', 'a b', 'NULL', 'null', '{}', '"', '\\', "'", ',', 'ü']],
      ['text[]', ['a', null, 'b']],
      ['uuid[]', [uuid, uuid]],
      ['bytea[]', [new Uint8Array([0, 255]), new Uint8Array()]],
      ['bigint[]', [0, -1, Number.MAX_SAFE_INTEGER]],
      ['smallint[]', [1, 2, 3]],
      ['integer[]', [1, null]],
      ['boolean[]', [true, false]],
      ['jsonb[]', [{ a: [1] }, { b: '"' }]],
      [
        'text[][]',
        [
          ['a', 'b'],
          ['c', null],
        ],
      ],
      ...['text', 'uuid', 'boolean', 'bigint', 'bytea', 'timestamptz', 'jsonb', 'text[]'].map(
        (type) => [type, null] as const,
      ),
    ];
    test.each(cases)('%s %#', async (type, value) => {
      expect(await echo(type, value)).toStrictEqual(value);
    });

    test('a time is whole milliseconds, before 1970 and far ahead too', async () => {
      for (const text of [
        '2026-02-28T23:59:59.999Z',
        '1969-12-31T23:59:59.001Z',
        '1970-01-01T00:00:00.000Z',
        '0099-03-01T00:00:00.000Z',
        '9999-12-31T23:59:59.999Z',
        '+012026-01-01T00:00:00.000Z',
      ]) {
        expect(await echo('timestamptz', new Date(text))).toBe(Date.parse(text));
      }
      expect(await echo('timestamptz', '2026-03-01 12:00:00.123987+05:30')).toBe(
        Date.parse('2026-03-01T06:30:00.123Z'),
      );
      expect(await echo('timestamptz', 'infinity')).toBe(Infinity);
      expect(await echo('timestamptz', '-infinity')).toBe(-Infinity);
      expect(await echo('timestamptz', '0044-03-15 12:00:00+00 BC')).toBe(
        Date.parse('-000043-03-15T12:00:00.000Z'),
      );
      const times = [new Date(0), new Date(1_767_225_600_123)];
      expect(await echo('timestamptz[]', times)).toEqual([0, 1_767_225_600_123]);
    });

    test('a time passed as milliseconds survives the way through to_timestamp', async () => {
      const ms = 1_767_225_600_123;
      const rows = await store().query(sql('select to_timestamp($1::double precision / 1000) as at'), [ms]);
      expect(rows).toEqual([{ at: ms }]);
    });

    test('a count is a number', async () => {
      expect(await store().query(sql('select count(*) as n from generate_series(1, 7)'))).toEqual([{ n: 7 }]);
    });
  });

  test('rows travel in columns: arrays of every type unnest side by side', async () => {
    const rows = await store().query(
      sql(`select * from unnest($1::text[], $2::uuid[], $3::bytea[], $4::bigint[], $5::smallint[], $6::jsonb[])
             as rows (name, id, hash, at_ms, shard, metadata)`),
      [
        ['a', 'b'],
        ['0190a0b0-1c2d-7e3f-8a9b-0c1d2e3f4a5b', null],
        [new Uint8Array([1]), new Uint8Array([2, 3])],
        [1_767_225_600_123, 0],
        [0, 15],
        [{ a: 1 }, {}],
      ],
    );
    expect(rows).toStrictEqual([
      {
        name: 'a',
        id: '0190a0b0-1c2d-7e3f-8a9b-0c1d2e3f4a5b',
        hash: new Uint8Array([1]),
        at_ms: 1_767_225_600_123,
        shard: 0,
        metadata: { a: 1 },
      },
      { name: 'b', id: null, hash: new Uint8Array([2, 3]), at_ms: 0, shard: 15, metadata: {} },
    ]);
  });

  test('a batch of 5,000 rows and a value of 2 MB pass through', async () => {
    const numbers = Array.from({ length: 5000 }, (_, index) => index);
    const rows = await store().query<{ n: number }>(sql('select n from unnest($1::bigint[]) as t (n)'), [
      numbers,
    ]);
    expect(rows.map(({ n }) => n)).toEqual(numbers);
    const large = 'ü'.repeat(1_000_000);
    expect(await echo('text', large)).toBe(large);
  });

  test('a bigint beyond the safe integers is refused, not rounded', async () => {
    await expect(store().query(sql('select 9007199254740993::bigint'))).rejects.toMatchObject({
      sqlstate: '22003',
    });
    expect(await store().query(sql('select 1 as one'))).toEqual([{ one: 1 }]);
  });

  test.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a Map', new Map()],
    ['undefined in an array', ['a', undefined]],
  ])('%s as a parameter is a mistake, not a null', async (_, value) => {
    await expect(echo('text', value)).rejects.toThrow(TypeError);
  });
}

import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, problemOf, verdictOf, verify } from './fixtures.ts';
import { RawConnection } from './raw-request.ts';
import type { TestServer } from './test-server.ts';

/** A key may be anything; a request to verify it may not. */
export function describeVerdicts(serverOf: () => TestServer): void {
  describe('verification answers with a verdict whatever it is given', () => {
    test.each([
      ['nothing', ''],
      ['blanks', '   '],
      ['random bytes', '\u0001\u00ff\ud83d\ude00\u0000'],
      ['half a surrogate', '\ud800'],
      ['a megabyte', 'x'.repeat(1_000_000)],
      ['a shape without a checksum', `orders_${'a'.repeat(27)}1000000`],
      ['a prototype', '__proto__'],
    ])('%s', async (_, key) => {
      expect(await verdictOf(serverOf(), key)).toBe('malformed');
    });

    test.each([
      [{}, { code: 'missing_field', field: '/key', status: 400 }],
      [{ key: 1 }, { code: 'invalid_field', field: '/key', status: 400 }],
      [
        { key: 'x', colour: 1 },
        { code: 'unknown_field', field: '/colour', status: 400 },
      ],
      [
        { key: 'x', scopes: 'a' },
        { code: 'invalid_field', field: '/scopes', status: 400 },
      ],
      ['{"key":"x"', { code: 'invalid_json', status: 400 }],
      ['{"key":"x","__proto__":{}}', { code: 'unknown_field', field: '/__proto__', status: 400 }],
      ['null', { code: 'invalid_field', field: '', status: 400 }],
      [Uint8Array.of(0x22, 0xff, 0x22), { code: 'invalid_json', status: 400 }],
    ])('unless the request itself is wrong: %j', async (body, expected) => {
      expect(problemOf(await verify(serverOf(), body))).toEqual(expected);
    });

    test('in pieces as well as whole, and not at all without a key', async () => {
      const connection = await RawConnection.open(serverOf().url);
      const body = '{"key":"x"}';
      await connection.hold('/v1/keys/verify', serverOf().rootKey, body.length);
      for (const piece of body) connection.socket.write(piece);
      await connection.until('"code":"malformed"');
      connection.socket.destroy();
      expect(problemOf(await verify(serverOf(), { key: 'x' }, { key: null }))).toMatchObject({ status: 401 });
    });

    test('in bulk too, in order, one beside the other', async () => {
      const { secret } = await issue(serverOf(), (await makeKeyspace(serverOf())).name);
      const keys = [{ key: secret }, { key: 'x' }, { key: secret, scopes: ['orders:write'] }];
      const { results } = (await serverOf().post('/v1/keys/verify/bulk', { keys })).body;
      expect((results as { code: string }[]).map(({ code }) => code)).toEqual([
        'valid',
        'malformed',
        'insufficient_scope',
      ]);
    });
  });
}

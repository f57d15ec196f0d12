import { inspect } from 'node:util';
import { Secret } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { createClient } from './index.ts';
import { ManualRuntime } from './testing/manual-runtime.ts';
import { failureOf, issue, issued, managementKey, play, revoked } from './testing/play.ts';
import { problemStep, ScriptedServer, type Step } from './testing/scripted-server.ts';

describe('a call', () => {
  it('goes to the path of its operation, with the key, the body and an Idempotency-Key', () =>
    play([issued], async ({ server, client }) => {
      const reply = await client.keys.issue(issue);
      expect(reply.secret).toBe('orders_live_x');
      const [request] = server.seen;
      expect(request).toMatchObject({ method: 'POST', url: '/v1/keys', body: JSON.stringify(issue) });
      expect(request?.headers).toMatchObject({
        authorization: `Bearer ${managementKey}`,
        'content-type': 'application/json',
        'idempotency-key': 'fresh-1',
      });
    }));

  it('that only asks carries no Idempotency-Key, and a health check not even the management key', () =>
    play(
      [
        { status: 200, json: { valid: false, code: 'unknown' } },
        { status: 200, json: { status: 'ok' } },
      ],
      async ({ server, client }) => {
        await client.keys.verify({ key: 'x' });
        await client.health();
        expect(server.seen.map((request) => request.headers['idempotency-key'])).toEqual([
          undefined,
          undefined,
        ]);
        expect(server.seen[1]).toMatchObject({ method: 'GET', url: '/healthz', body: '' });
        expect(server.seen[1]?.headers.authorization).toBeUndefined();
      },
    ));

  it('takes the Idempotency-Key of its caller', () =>
    play([revoked], async ({ server, client }) => {
      await client.keys.revoke('key_1', { reason: 'leaked' }, { idempotencyKey: 'mine' });
      expect(server.seen[0]).toMatchObject({ url: '/v1/keys/key_1/revoke', body: '{"reason":"leaked"}' });
      expect(server.seen[0]?.headers['idempotency-key']).toBe('mine');
    }));

  it('keeps what a caller passes as an id inside its segment of the path', () =>
    play([{ status: 200, json: {} }], async ({ server, client }) => {
      await client.keys.get('a/../b?c#d');
      expect(server.seen[0]?.url).toBe('/v1/keys/a%2F..%2Fb%3Fc%23d');
      for (const id of ['', '.', '..']) await expect(client.keys.get(id)).rejects.toThrow('id is required');
      expect(server.seen).toHaveLength(1);
    }));

  it('is thrown as the fault that the server answered, with all it said', () =>
    play(
      [
        problemStep(409, 'version_in_use', {
          field: 'force',
          expected: 'true',
          last_used_at: '2030-01-01T00:00:00.000Z',
        }),
      ],
      async ({ client, server }) => {
        const error = await failureOf(client.keys.finishRotation('key_1'));
        expect(error).toMatchObject({
          code: 'version_in_use',
          status: 409,
          message: 'The detail of version_in_use.',
          field: 'force',
          expected: 'true',
          requestId: 'req-1',
          retryable: false,
          operationId: 'finishRotation',
          attempts: 1,
          exitCode: 5,
          extra: { last_used_at: '2030-01-01T00:00:00.000Z' },
        });
        expect(server.seen).toHaveLength(1);
      },
    ));
});

describe('the management key', () => {
  it('stands in no error, whatever the server or the network says', async () => {
    const echo = `You sent ${managementKey}!`;
    const echoing: Step[] = [
      problemStep(401, 'unauthenticated', { detail: echo, header: echo, field: managementKey }),
      { status: 500, text: echo },
      { status: 200, text: echo },
      'drop',
    ];
    for (const step of echoing) {
      await play([step], async ({ client }) => {
        const error = await failureOf(client.keys.issue(issue, { attemptsMax: 1 }));
        expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(managementKey);
        expect(JSON.stringify(error)).not.toContain(managementKey);
      });
    }
    const loud = async (): Promise<Response> => {
      throw new TypeError('fetch failed', { cause: new Error(echo) });
    };
    await play(
      [],
      async ({ client }) => {
        const error = await failureOf(client.keys.issue(issue, { attemptsMax: 1 }));
        expect(error.code).toBe('unreachable');
        expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(managementKey);
      },
      { fetch: loud },
    );
  });

  it('is not shown by the client itself', () =>
    play([], async ({ client }) => {
      expect(inspect(client, { depth: 9, showHidden: true })).not.toContain(managementKey);
    }));

  it('that could not stand in a header is refused without being repeated', () => {
    for (const key of ['', 'two words', 'line\nfeed', 'ключ', 'x'.repeat(4_097)]) {
      const act = () => createClient({ baseUrl: 'http://127.0.0.1:1', managementKey: new Secret(key) });
      expect(act).toThrow('managementKey must be');
      if (key !== '') expect(act).not.toThrow(key);
    }
  });
});

describe('a base URL', () => {
  it.each([
    'keys.example',
    'ftp://keys.example',
    'https://me:pass@keys.example',
    'https://keys.example/?a=1',
  ])('that is a mistake is refused: %s', (baseUrl) => {
    expect(() => createClient({ baseUrl, managementKey })).toThrow(TypeError);
  });

  it('may have a path of its own', () =>
    play([{ status: 200, json: {} }], async ({ server }) => {
      const client = createClient({ baseUrl: `${server.url}/keys/`, managementKey });
      await client.owners.get('own_1');
      expect(server.seen[0]?.url).toBe('/keys/v1/owners/own_1');
    }));
});

describe('readiness', () => {
  it('is a value also when the server is not ready', () =>
    play(
      [{ status: 503, json: { status: 'not_ready', checks: { store: 'failing' } } }],
      async ({ client }) => {
        expect((await client.ready()).status).toBe('not_ready');
      },
    ));
});

describe('a client that signs', () => {
  it('sends a signature of its own with each attempt, and never the management key', async () => {
    await using server = new ScriptedServer([
      problemStep(503, 'stale'),
      { status: 200, json: { items: [], next_cursor: null } },
    ]);
    const client = createClient({
      baseUrl: await server.start(),
      managementKey: 'keyswarm_abc',
      signAs: 'key_01kq0000000000000000000000.1',
      runtime: new ManualRuntime(),
    });
    await client.call('listKeyspaces', {});
    const [first, second] = server.seen;
    expect(first?.headers['signature-input']).toContain('keyid="key_01kq0000000000000000000000.1"');
    expect(first?.headers.signature).not.toBe(second?.headers.signature);
    expect(JSON.stringify(server.seen)).not.toContain('keyswarm_abc');
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  it('is told at once what is missing to sign with', () => {
    const baseUrl = 'http://127.0.0.1:1';
    expect(() => createClient({ baseUrl })).toThrow('managementKey');
    expect(() => createClient({ baseUrl, managementKey: 'keyswarm_abc', signAs: 'abc' })).toThrow('signAs');
  });
});

import { inspect } from 'node:util';
import { Secret } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { type Client, type ClientOptions, createClient, KeyswarmError } from './index.ts';
import { ManualRuntime } from './testing/manual-runtime.ts';
import { problemStep, ScriptedServer, type Step } from './testing/scripted-server.ts';

const managementKey = 'keyswarm_0123456789abcdefghijklmnopq1Zz9Yy8';
const issue = {
  keyspace: 'orders-live',
  owner: { kind: 'service', external_id: 'billing' },
  scopes: ['orders:read'],
} as const;
const issued: Step = { status: 201, json: { id: 'key_1', version: 1, secret: 'orders_live_x' } };
const revoked: Step = { status: 200, json: { id: 'key_1', state: 'revoked' } };
const unavailable = problemStep(503, 'overloaded');

interface Scene {
  readonly server: ScriptedServer;
  readonly runtime: ManualRuntime;
  readonly client: Client;
}

async function play<T>(
  steps: readonly Step[],
  act: (scene: Scene) => Promise<T>,
  options: Partial<ClientOptions> = {},
): Promise<T> {
  await using server = new ScriptedServer(steps);
  const runtime = new ManualRuntime();
  const client = createClient({ baseUrl: await server.start(), managementKey, runtime, ...options });
  return await act({ server, runtime, client });
}

async function failureOf(promise: Promise<unknown>): Promise<KeyswarmError> {
  const outcome = await promise.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );
  if (outcome instanceof KeyswarmError) return outcome;
  throw new Error(`not a KeyswarmError: ${inspect(outcome)}`);
}

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

describe('a retry', () => {
  it('sends the same body under the same Idempotency-Key after a dropped connection', () =>
    play(['drop', 'cut', unavailable, issued], async ({ server, client, runtime }) => {
      const body = { ...issue, scopes: ['orders:read'] };
      const pending = client.keys.issue(body);
      body.scopes.push('orders:write');
      expect((await pending).id).toBe('key_1');
      expect(new Set(server.seen.map((request) => request.headers['idempotency-key']))).toEqual(
        new Set(['fresh-1']),
      );
      expect(new Set(server.seen.map((request) => request.body))).toEqual(new Set([JSON.stringify(issue)]));
      expect(server.seen).toHaveLength(4);
      // Half of 100, 200 and 400 ms: full jitter at 0.5.
      expect(runtime.pausesMs).toEqual([50, 100, 200]);
    }));

  it('waits at least as long as the server asked, in seconds or by date', () =>
    play(
      [
        problemStep(429, 'rate_limited', {}, { 'retry-after': '3' }),
        problemStep(503, 'overloaded', {}, { 'retry-after': 'Tue, 01 Jan 2030 00:00:10 GMT' }),
        issued,
      ],
      async ({ client, runtime }) => {
        await client.keys.issue(issue);
        expect(runtime.pausesMs).toEqual([3_050, 10_000 - 3_050 + 100]);
      },
    ));

  it('is not made when the server asks for more time than the deadline leaves', () =>
    play([problemStep(503, 'overloaded', {}, { 'retry-after': '61' })], async ({ client, runtime }) => {
      const error = await failureOf(client.keys.issue(issue));
      expect(error).toMatchObject({ code: 'overloaded', retryAfterMs: 61_000, attempts: 1 });
      expect(runtime.pausesMs).toEqual([]);
    }));

  it('is not made for what will not change by itself', () =>
    play([problemStep(422, 'idempotency_mismatch'), issued], async ({ client, server }) => {
      expect((await failureOf(client.keys.issue(issue))).code).toBe('idempotency_mismatch');
      expect(server.seen).toHaveLength(1);
    }));

  it('ends after the last attempt with the last error', () =>
    play([unavailable, 'drop', problemStep(503, 'stale')], async ({ client }) => {
      expect(await failureOf(client.keys.verify({ key: 'x' }, { attemptsMax: 3 }))).toMatchObject({
        code: 'stale',
        attempts: 3,
      });
    }));

  it('of a PATCH is made when the server did nothing, and not when that is uncertain', async () => {
    await play([unavailable, { status: 200, json: { id: 'key_1' } }], async ({ client, server }) => {
      await client.keys.update('key_1', { name: 'b' });
      expect(server.seen[0]).toMatchObject({ method: 'PATCH', body: '{"name":"b"}' });
      expect(server.seen).toHaveLength(2);
    });
    for (const step of ['drop', problemStep(503, 'outcome_unknown')] satisfies Step[]) {
      await play([step, { status: 200, json: {} }], async ({ client, server }) => {
        await failureOf(client.keys.update('key_1', { name: 'b' }));
        expect(server.seen).toHaveLength(1);
      });
    }
  });

  it('costs the client a token, and calls earn them back', () =>
    play(
      [unavailable, unavailable, unavailable, unavailable, issued],
      async ({ client, server }) => {
        expect((await failureOf(client.keys.issue(issue))).attempts).toBe(2);
        // One token spent, none left: the next call is sent once; the two calls have earned one again.
        expect((await failureOf(client.keys.issue(issue))).attempts).toBe(1);
        expect((await client.keys.issue(issue)).id).toBe('key_1');
        expect(server.seen).toHaveLength(5);
      },
      { retry: { budgetTokensMax: 1, budgetTokensPerCall: 0.5 } },
    ));
});

describe('a reply that is not of this API', () => {
  it.each<[string, Step]>([
    ['is not JSON', { status: 200, text: '{"valid": tru' }],
    ['is a page', { status: 200, text: '<html>' }],
    ['is no object', { status: 200, text: '[]' }],
    ['is empty', { status: 200, text: '' }],
    ['is a redirect', { status: 302, text: '', headers: { location: 'http://127.0.0.1:1/' } }],
    ['is a verdict that contradicts itself', { status: 200, json: { valid: true, code: 'revoked' } }],
    ['calls a refusal valid', { status: 200, json: { valid: false, code: 'valid' } }],
    ['has a valid that is text', { status: 200, json: { valid: 'true', code: 'valid' } }],
    ['has no code', { status: 200, json: { valid: true } }],
    ['is a problem with an unknown code', problemStep(400, 'from_the_future')],
  ])('is a bad_reply and not sent again: it %s', (_, step) =>
    play([step, { status: 200, json: { valid: true, code: 'valid' } }], async ({ client, server }) => {
      expect(await failureOf(client.keys.verify({ key: 'x' }))).toMatchObject({
        code: 'bad_reply',
        retryable: false,
      });
      expect(server.seen).toHaveLength(1);
    }),
  );

  it('is tried again when it is the complaint of a proxy', () =>
    play([{ status: 502, text: '<html>' }, { status: 504, text: '' }, issued], async ({ client }) => {
      expect((await client.keys.issue(issue)).id).toBe('key_1');
    }));

  it('has as many results as were asked for, each a verdict or an error', async () => {
    const valid = { valid: true, code: 'valid' };
    const stale = { error: { code: 'stale', detail: '' } };
    const questions = [{ key: 'a' }, { key: 'b' }];
    await play([{ status: 200, json: { results: [valid, stale] } }], async ({ client }) => {
      expect(await client.keys.verifyBulk(questions)).toEqual([valid, stale]);
    });
    for (const results of [
      [valid],
      [valid, valid, valid],
      undefined,
      [valid, { valid: true }],
      [valid, { valid: true, error: {} }],
    ]) {
      await play([{ status: 200, json: { results } }], async ({ client }) => {
        expect((await failureOf(client.keys.verifyBulk(questions))).code).toBe('bad_reply');
      });
    }
  });
});

describe('time', () => {
  it.each<Step>(['silence', 'stall'])(
    'limits an attempt that meets %s, and the next goes under the same key',
    (step) =>
      play([step, issued], async ({ client, server, runtime }) => {
        const pending = client.keys.issue(issue);
        await server.received(1);
        expect([...runtime.timers.values()]).toEqual([10_000]);
        runtime.fireTimers();
        expect((await pending).id).toBe('key_1');
        expect(server.seen[1]?.headers['idempotency-key']).toBe('fresh-1');
        expect(runtime.timers.size).toBe(0);
      }),
  );

  it('of the whole call is limited by the deadline', () =>
    play(['silence'], async ({ client, server, runtime }) => {
      const pending = failureOf(client.keys.issue(issue, { deadlineMs: 700 }));
      await server.received(1);
      expect([...runtime.timers.values()]).toEqual([700]);
      runtime.fireTimers();
      expect(await pending).toMatchObject({ code: 'timeout', attempts: 1 });
    }));

  it('ends at once when the caller aborts, with the reason of the caller', () =>
    play(['silence'], async ({ client, server, runtime }) => {
      const stop = new AbortController();
      const reason = new Error('enough');
      const pending = client.keys.issue(issue, { signal: stop.signal });
      await server.received(1);
      stop.abort(reason);
      await expect(pending).rejects.toBe(reason);
      expect(runtime.timers.size).toBe(0);
      await expect(client.keys.issue(issue, { signal: stop.signal })).rejects.toBe(reason);
      expect(server.seen).toHaveLength(1);
    }));
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
    for (const key of ['', 'two words', 'line\nfeed', 'ключ', 'x'.repeat(513)]) {
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

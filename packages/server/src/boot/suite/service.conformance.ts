import { expect, test } from 'vitest';
import { issue, makeKeyspace, terms } from './fixtures.ts';
import type { TestServer } from './test-server.ts';

/** What the server says of itself, and what it keeps to itself. */
export function describeService(serverOf: () => TestServer): void {
  test('health, readiness, metrics, the document of the API and an index are open to anyone', async () => {
    const server = serverOf();
    const open = { key: null };
    expect((await server.get('/healthz', open)).body).toEqual({ status: 'ok' });
    expect((await server.get('/readyz', open)).body).toMatchObject({
      status: 'ready',
      checks: { store: 'ok' },
    });
    expect((await server.get('/openapi.json', open)).body).toMatchObject({ openapi: '3.1.0' });
    expect((await server.get('/', open)).body).toMatchObject({ name: 'keyswarm' });
    const metrics = await server.get('/metrics', open);
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(metrics.text).toContain(
      'keyswarm_http_request_duration_seconds_count{operation="readyz",status="2xx"}',
    );
    expect(metrics.text).toMatch(/keyswarm_lane_batch_writes_count [1-9]/);
  });

  test('a request id of the caller comes back if it is sane, and is replaced if not', async () => {
    const server = serverOf();
    const idOf = async (id: string) =>
      (await server.get('/healthz', { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await idOf('trace-1.a_B')).toBe('trace-1.a_B');
    for (const bad of ['a b', 'x'.repeat(65), '-a', server.rootKey]) expect(await idOf(bad)).toMatch(/^req-/);
    const refused = await server.get('/v1/keys', { key: null, headers: { 'x-request-id': 'mine' } });
    expect(refused.body.request_id).toBe('mine');
  });

  test('no secret reaches the log, whatever happens to it', async () => {
    const server = serverOf();
    const { name } = await makeKeyspace(server);
    const { id, secret } = await issue(server, name);
    await server.post('/v1/keys/verify', { key: secret, colour: 1 });
    await server.post('/v1/keys', `{"secret":"${secret}"`, {});
    await server.get(`/v1/keys/${id}`, { key: secret });
    await server.post('/v1/keys', terms(name), {
      headers: { 'x-request-id': `a\r\nb`.replace(/[\r\n]/g, '') },
    });
    expect(server.log()).not.toContain(secret);
    expect(server.log()).not.toContain(server.rootKey);
  });
}

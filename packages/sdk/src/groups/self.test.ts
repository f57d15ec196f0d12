import { expect, test } from 'vitest';
import { managementKey, play } from '../testing/play.ts';
import type { Step } from '../testing/scripted-server.ts';

const reply: Step = { status: 200, json: { id: 'key_1' } };

test('what a holder asks goes out with the key that the client was given, and changes carry an Idempotency-Key', async () => {
  await play([reply, reply, reply, reply, reply], async ({ client, server }) => {
    await client.self.get();
    await client.self.renew();
    await client.self.revoke({ reason: 'lost' });
    await client.self.enroll({ name: 'node' }, { idempotencyKey: 'boot-1' });
    await client.enrollments.create({
      keyspace: 'orders',
      uses: 1,
      owner_rule: { kinds: ['service'] },
      scopes: [],
    });
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1/keys/self',
      'POST /v1/keys/self/renew',
      'POST /v1/keys/self/revoke',
      'POST /v1/keys/enroll',
      'POST /v1/enrollments',
    ]);
    const keys = server.seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toBeUndefined();
    expect(keys.slice(1).every((key) => typeof key === 'string')).toBe(true);
    expect(keys[3]).toBe('boot-1');
    expect(new Set(server.seen.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${managementKey}`]),
    );
    expect(server.seen[2]?.body).toBe('{"reason":"lost"}');
  });
});

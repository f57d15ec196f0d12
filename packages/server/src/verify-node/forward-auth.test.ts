import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshName, issue, makeKeyspace, terms } from '../boot/suite/fixtures.ts';
import { forwardAuthStrangersMax } from '../gateways/forward-auth.ts';
import { type StoreHouse, startStoreHouse } from './testing/store-house.ts';
import type { TestNode } from './testing/test-node.ts';

/* What a proxy may ask, and what it is told: on a node that reads the feed of a real store. */

let house: StoreHouse;
let node: TestNode;
let open: string;
let shut: string;
beforeAll(async () => {
  house = await startStoreHouse();
  open = (await makeKeyspace(house.server)).name;
  shut = (await makeKeyspace(house.server)).name;
  node = await house.startNode({ forwardAuth: open });
  await node.ready;
}, 60_000);
afterAll(() => house.close());

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const ask = (query: string, { method = 'GET', headers = {}, body }: Asked = {}) =>
  fetch(`${node.url}/v1/forward-auth${query}`, { method, headers, ...(body === undefined ? {} : { body }) });
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const question = (more = '') => `?keyspace=${open}${more}`;

describe('a key that is good', () => {
  it('is let through, and who it is stands in the headers', async () => {
    const owner = { kind: 'user', external_id: 'zoë <z@example.org>' };
    const { id, secret } = await issue(house.server, open, {
      owner,
      scopes: ['orders:read', 'orders:write'],
    });
    const reply = await ask(question('&scope=orders:read&scope=orders%3Awrite'), bearer(secret));
    expect(reply.status).toBe(200);
    expect(await reply.text()).toBe('');
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const told = Object.fromEntries([...reply.headers].filter(([name]) => name.startsWith('x-keyswarm-')));
    expect(told).toEqual({
      'x-keyswarm-key-id': id,
      'x-keyswarm-key-version': '1',
      'x-keyswarm-owner-id': expect.stringMatching(/^own_/),
      'x-keyswarm-owner-kind': 'user',
      'x-keyswarm-owner': encodeURIComponent(owner.external_id),
      'x-keyswarm-keyspace': open,
      'x-keyswarm-scopes': 'orders:read orders:write',
    });
  });

  it('in its old version is let through with when that one ends, and the new one without', async () => {
    const { id, secret } = await issue(house.server, open);
    const { body } = await house.server.post(`/v1/keys/${id}/rotate`, { grace_seconds: 600 });
    const { retires_at: retiresAt } = body.previous as { retires_at: string };
    const newest = await ask(question(), bearer(String(body.secret)));
    expect([newest.status, newest.headers.get('x-keyswarm-retires-at')]).toEqual([200, null]);
    const old = await ask(question(), bearer(secret));
    expect([old.status, old.headers.get('x-keyswarm-retires-at')]).toEqual([200, retiresAt]);
  });

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'by %s, which is the client’s own',
    async (method) => {
      const { secret } = await issue(house.server, open);
      expect((await ask(question(), { method, ...bearer(secret) })).status).toBe(200);
    },
  );

  it('is taken from X-API-Key too, and from both when they are the same', async () => {
    const { secret } = await issue(house.server, open);
    expect((await ask(question(), { headers: { 'x-api-key': secret } })).status).toBe(200);
    const both = { authorization: `Bearer ${secret}`, 'x-api-key': secret };
    expect((await ask(question(), { headers: both })).status).toBe(200);
    const foreign = { authorization: 'Basic eDp5', 'x-api-key': secret };
    expect((await ask(question(), { headers: foreign })).status).toBe(200);
  });

  it('is let through with a body that nobody reads', async () => {
    const { secret } = await issue(house.server, open);
    const reply = await ask(question(), { method: 'POST', body: 'x'.repeat(100_000), ...bearer(secret) });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('connection')).toBe('close');
  });

  it('has no more of its scopes told than a proxy takes, and it is said that there are more', async () => {
    const scopes = Array.from({ length: 60 }, (_, at) => `orders:${'x'.repeat(100)}${at}`);
    const { secret } = await issue(house.server, open, { scopes });
    const { headers } = await ask(question(), bearer(secret));
    const told = headers.get('x-keyswarm-scopes')?.split(' ') ?? [];
    expect(told.length).toBeLessThan(scopes.length);
    expect(scopes).toEqual(expect.arrayContaining(told));
    expect(headers.get('x-keyswarm-scopes-partial')).toBe('true');
  });
});

describe('a key that is not', () => {
  const challenge = 'Bearer realm="keyswarm", error="invalid_token"';
  /** All but the id of the request. */
  const seen = async (reply: Response) => ({
    status: reply.status,
    challenge: reply.headers.get('www-authenticate'),
    cache: reply.headers.get('cache-control'),
    body: (await reply.text()).replace(/"request_id":"[^"]*"/, ''),
  });

  it('is refused in the same words, whatever is wrong with it', async () => {
    const { server } = house;
    const revoked = await issue(server, open);
    const other = await issue(server, open);
    const suspended = await issue(server, open);
    await server.post(`/v1/keys/${revoked.id}/revoke`, {});
    await server.post(`/v1/owners/${suspended.owner}/suspend`);
    // A good key is answered from memory: this node hears of the end of one by its own next round.
    for (const { secret } of [revoked, suspended]) {
      await expect.poll(async () => (await ask(question(), bearer(secret))).status).toBe(401);
    }
    const elsewhere = await issue(server, shut);
    const differing = { headers: { authorization: `Bearer ${other.secret}`, 'x-api-key': elsewhere.secret } };
    const answers = await Promise.all(
      [
        ask(question()),
        ask(question(), bearer('nonsense')),
        ask(question(), bearer(revoked.secret)),
        ask(question(), bearer(suspended.secret)),
        ask(question(), bearer(elsewhere.secret)),
        ask(question(), bearer(server.rootKey)),
        ask(question(), bearer('x'.repeat(5_000))),
        ask(question(), { headers: { 'x-api-key': `${other.secret}, ${other.secret}` } }),
        ask(question(), differing),
        ask(`?keyspace=${shut}`, bearer(elsewhere.secret)),
        ask(`?keyspace=${freshName('nowhere')}`, bearer(elsewhere.secret)),
        ask('?keyspace=keyswarm', bearer(server.rootKey)),
      ].map(async (asked) => seen(await asked)),
    );
    expect(answers[0]).toMatchObject({ status: 401, challenge, cache: 'no-store' });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('because nobody may ask about its keyspace is told to the operator, once, and of some few only', async () => {
    const told = () => node.log().split('a keyspace that --forward-auth does not name').length - 1;
    const { secret } = await issue(house.server, shut);
    for (let at = 0; at < 3; at += 1) await ask(`?keyspace=${shut}`, bearer(secret));
    const line = node
      .log()
      .split('\n')
      .filter((text) => text.includes(shut));
    expect(line.map((text) => JSON.parse(text))).toMatchObject([{ level: 'warn', keyspace: shut }]);
    for (let at = 0; at < 50; at += 1) await ask(`?keyspace=${freshName('nowhere')}`, bearer(secret));
    expect(told()).toBe(forwardAuthStrangersMax);
  });

  it('for want of a scope is told which', async () => {
    const { secret } = await issue(house.server, open);
    const reply = await ask(question('&scope=orders:read&scope=orders:write'), bearer(secret));
    expect(reply.status).toBe(403);
    expect(reply.headers.get('www-authenticate')).toBe(
      'Bearer realm="keyswarm", error="insufficient_scope", scope="orders:read orders:write"',
    );
  });

  it('because it was issued a moment ago is not refused at all', async () => {
    const keys = Array.from({ length: 100 }, () => terms(open));
    const { results } = (await house.server.post('/v1/keys/bulk', { keys })).body;
    const secrets = (results as readonly { secret: string }[]).map(({ secret }) => secret);
    const statuses = await Promise.all(
      secrets.map(async (key) => (await ask(question(), bearer(key))).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

describe('a question that is not accepted', () => {
  it.each([
    ['', 'keyspace'],
    ['?scope=orders:read', 'keyspace'],
    ['?keyspace=', 'keyspace'],
    ['?keyspace=a&keyspace=b', 'keyspace'],
    ['?keyspace=a&scope=not%20a%20scope', 'scope'],
    ['?keyspace=a&colour=red', 'query'],
    ['?keyspace=%ff', 'keyspace'],
    [`?keyspace=a${'&scope=a:b'.repeat(65)}`, 'scope'],
  ])('%s: names what is wrong', async (query, field) => {
    const reply = await ask(query);
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ code: 'invalid_field', field });
  });

  it('with a key in its address is refused and the key called leaked', async () => {
    const { secret } = await issue(house.server, open);
    const reply = await ask(question(`&original=/orders?key=${secret}`), bearer(secret));
    expect(await reply.json()).toMatchObject({ status: 400, code: 'secret_in_url' });
  });

  it('can not be made by whoever chooses the address that is appended', async () => {
    const { secret } = await issue(house.server, shut);
    const reply = await ask(question(`&original=/x?a=b&keyspace=${shut}&colour=%ff`), bearer(secret));
    expect(reply.status).toBe(401);
  });
});

describe('when nothing can be said', () => {
  it('it is 503 with a time to come back, and no word about the key; paths beside it are nothing', async () => {
    const strict = (await makeKeyspace(house.server, { lease_seconds: 1 })).name;
    const { secret } = await issue(house.server, strict);
    const stale = await house.startNode({ forwardAuth: strict });
    await stale.ready;
    const asked = () => fetch(`${stale.url}/v1/forward-auth?keyspace=${strict}`, bearer(secret));
    expect((await asked()).status).toBe(200);
    house.cut(true);
    await expect.poll(async () => (await asked()).status, { timeout: 10_000 }).toBe(503);
    const reply = await asked();
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(await reply.json()).toMatchObject({ code: 'stale' });
    house.cut(false);
    await expect.poll(async () => (await asked()).status, { timeout: 10_000 }).toBe(200);
    expect((await fetch(`${stale.url}/v1/forward-authority`)).status).toBe(404);
    expect((await fetch(`${stale.url}/v1/forward-auth/`)).status).toBe(404);
  });

  it('and nothing of a key reached the log', () => {
    expect(node.log()).not.toContain('orders_');
  });
});

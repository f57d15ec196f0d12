import { describe, expect, test } from 'vitest';
import { listPagesMax, webhooksPerWorkspaceMax } from '../../limits.ts';
import { issue, makeKeyspace, makeWorkspace, manager, refused } from './fixtures.ts';
import type { Reply, TestServer } from './test-server.ts';

const url = 'https://hooks.example.com/keyswarm';

/** Webhooks over the wire: who may have one, where it may lead, and what is said of it. */
export function describeWebhooks(serverOf: () => TestServer): void {
  const create = (body: object = {}, key?: string): Promise<Reply> =>
    serverOf().post('/v1/webhooks', { url, ...body }, key === undefined ? {} : { key });

  describe('webhooks', () => {
    test('a secret is in the reply that made it, and in no other', async () => {
      const made = await create({ types: ['key.issued'], description: 'orders' });
      expect(made.status, made.text).toBe(201);
      expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      const id = String(made.body.id);
      const shown = await serverOf().get(`/v1/webhooks/${id}`);
      expect(shown.body).toMatchObject({
        id,
        url,
        state: 'active',
        types: ['key.issued'],
        description: 'orders',
      });
      const others = [
        shown,
        await serverOf().get('/v1/webhooks'),
        await serverOf().get('/v1/events?limit=200'),
      ];
      for (const { text } of others) expect(text).not.toContain(String(made.body.secret));
      expect(serverOf().log()).not.toContain(String(made.body.secret));
    });

    test('a retry with the same Idempotency-Key has the same secret, and makes no second one', async () => {
      const headers = { 'idempotency-key': `wh-${url}-1` };
      const server = serverOf();
      const key = await makeWorkspace(server);
      const first = await server.post('/v1/webhooks', { url }, { headers, key });
      const second = await server.post('/v1/webhooks', { url }, { headers, key });
      expect(second.body).toEqual(first.body);
      expect((await server.get('/v1/webhooks', { key })).body.items).toHaveLength(1);
    });

    test('a new secret is another one, and says until when the old one signs as well', async () => {
      const made = await create();
      const path = `/v1/webhooks/${String(made.body.id)}/rotate-secret`;
      const rotated = await serverOf().post(path, { overlap_seconds: 60 });
      expect(rotated.status, rotated.text).toBe(200);
      expect(rotated.body.secret).not.toBe(made.body.secret);
      expect(Date.parse(String(rotated.body.previous_secret_until))).toBeGreaterThan(Date.now());
      expect((await serverOf().post(path, { overlap_seconds: 0 })).body.previous_secret_until).toBeNull();
    });

    test('one that is deleted is gone, and one that is disabled says why', async () => {
      const made = await create();
      const path = `/v1/webhooks/${String(made.body.id)}`;
      const off = await serverOf().call('PATCH', path, { body: { state: 'disabled' } });
      expect(off.body).toMatchObject({ state: 'disabled', disabled_reason: 'request' });
      const on = await serverOf().call('PATCH', path, { body: { state: 'active' } });
      expect(on.body).toMatchObject({ state: 'active', disabled_reason: null });
      expect((await serverOf().post(`${path}/delete`)).status).toBe(200);
      expect((await serverOf().get(path)).status).toBe(404);
      expect((await serverOf().post(`${path}/delete`)).status).toBe(404);
      expect((await serverOf().get('/v1/webhooks')).text).not.toContain(String(made.body.id));
    });

    test.each([
      ['http', 'http://hooks.example.com/'],
      ['a private address', 'https://192.168.0.1/'],
      ['the loopback name', 'https://localhost/'],
      ['the metadata service', 'https://169.254.169.254/'],
      ['an address in disguise', 'https://[::ffff:10.0.0.1]/'],
      ['credentials', 'https://a:b@hooks.example.com/'],
      ['no URL', 'hooks.example.com'],
    ])('a webhook to %s is refused, when it is made and when it is changed', async (_, bad) => {
      const field = { status: 400, code: 'invalid_field', field: '/url' };
      expect(await refused(serverOf(), () => create({ url: bad }))).toEqual(field);
      const path = `/v1/webhooks/${String((await create()).body.id)}`;
      const change = () => serverOf().call('PATCH', path, { body: { url: bad } });
      expect(await refused(serverOf(), change)).toEqual(field);
    });

    test.each([
      ['a type that there is not', { types: ['key.eaten'] }, '/types/0'],
      ['no types at all', { types: [] }, '/types'],
      ['a field that there is not', { secret: 'whsec_mine' }, '/secret'],
    ])('%s is refused', async (_, body, field) => {
      expect(await refused(serverOf(), () => create(body))).toMatchObject({ status: 400, field });
    });

    test('a keyspace that is not there is not found, and one that is stands in the reply', async () => {
      expect(await refused(serverOf(), () => create({ keyspace: 'nowhere' }))).toMatchObject({ status: 404 });
      const keyspace = await makeKeyspace(serverOf());
      expect((await create({ keyspace: keyspace.name })).body).toMatchObject({ keyspace_id: keyspace.id });
    });

    test('a workspace has so many and no more, however many it has deleted', async () => {
      const key = await makeWorkspace(serverOf());
      const fill = () =>
        Promise.all(
          Array.from({ length: webhooksPerWorkspaceMax }, async () => (await create({}, key)).body.id),
        );
      for (let turn = 0; turn < listPagesMax; turn += 1) {
        const ids = await fill();
        await Promise.all(
          ids.map((id) => serverOf().post(`/v1/webhooks/${String(id)}/delete`, undefined, { key })),
        );
      }
      const ids = await fill();
      expect(new Set(ids).size).toBe(webhooksPerWorkspaceMax);
      const disabled = { body: { state: 'disabled' }, key };
      expect((await serverOf().call('PATCH', `/v1/webhooks/${String(ids[0])}`, disabled)).status).toBe(200);
      expect((await create({}, key)).body).toMatchObject({ code: 'invalid_field', field: '/url' });
    });

    test('what stands under the same number as another kind of thing is not there', async () => {
      const id = String((await create()).body.id).slice('wh_'.length);
      const paths = [`/v1/campaigns/camp_${id}`, `/v1/approvals/appr_${id}`];
      for (const path of paths) expect((await serverOf().get(path)).status, path).toBe(404);
    });

    test('whoever may not read events can not have them sent', async () => {
      const server = serverOf();
      const writer = await manager(server, ['webhooks:write']);
      expect(await refused(server, () => create({}, writer))).toMatchObject({ status: 403 });
      const both = await manager(server, ['webhooks:write', 'events:read']);
      expect((await create({}, both)).status).toBe(201);
      expect((await server.get('/v1/webhooks', { key: both })).status).toBe(403);
    });

    test('those of another workspace are not there', async () => {
      const server = serverOf();
      const path = `/v1/webhooks/${String((await create()).body.id)}`;
      const key = await makeWorkspace(server);
      const patch = { body: { state: 'disabled' }, key };
      const replies = [
        await server.get(path, { key }),
        await server.call('PATCH', path, patch),
        await server.post(`${path}/rotate-secret`, {}, { key }),
        await server.post(`${path}/delete`, undefined, { key }),
      ];
      expect(replies.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
      expect((await server.get('/v1/webhooks', { key })).body.items).toEqual([]);
      await issue(server, (await makeKeyspace(server)).name);
    });

    test('a dead letter that is not there can be neither replayed nor discarded', async () => {
      const path = '/v1/dead-letters/dl_01h455vb4pex5vsknk084sn02q';
      const replies = [await serverOf().post(`${path}/replay`), await serverOf().post(`${path}/discard`)];
      expect(replies.map(({ status }) => status)).toEqual([404, 404]);
      expect((await serverOf().get('/v1/dead-letters')).body).toEqual({ items: [], next_cursor: null });
    });
  });
}

import { describe, expect, test } from 'vitest';
import { approvalDesk } from './approval-desk.ts';
import { freshName, issue, problemOf, refused, terms, verdictOf } from './fixtures.ts';
import type { TestServer } from './test-server.ts';

/** Keys that a second manager has to agree to: asked for, decided, collected. */
export function describeApprovals(serverOf: () => TestServer): void {
  const desk = approvalDesk(serverOf);
  const { as, ruled, wish, request, decide, approve, collect, stateOf } = desk;

  describe('a key that needs approval', () => {
    test('is refused to whoever issues it, with the way to ask for it; others of the keyspace are not', async () => {
      const { name } = await ruled();
      const reply = await serverOf().post('/v1/keys', wish(name), as(desk.asker));
      expect(problemOf(reply)).toEqual({ code: 'approval_required', field: '/scopes', status: 403 });
      expect(reply.body).toMatchObject({ request_with: 'POST /v1/approvals' });
      expect((await serverOf().post('/v1/keys', terms(name), as(desk.asker))).status).toBe(201);
      const every = await ruled(['*']);
      expect((await serverOf().post('/v1/keys', terms(every.name, { scopes: [] }))).body.code).toBe(
        'approval_required',
      );
    });

    test('is asked for, agreed to by a second manager, and then issued to who asked', async () => {
      const { name, id: keyspaceId } = await ruled();
      const asked = await serverOf().post(
        '/v1/approvals',
        wish(name, { reason: 'migration', ttl_seconds: 600, metadata: { team: 'a' } }),
        as(desk.asker),
      );
      expect(asked.body).toMatchObject({
        state: 'pending',
        keyspace_id: keyspaceId,
        requested_by: desk.asker.id,
        scopes: ['orders:write'],
        reason: 'migration',
        ttl_seconds: 600,
        decided_by: null,
        key_id: null,
      });
      const id = String(asked.body.id);
      expect(problemOf(await collect(id))).toEqual({ code: 'approval_pending', field: 'id', status: 409 });
      expect(await approve([id])).toEqual([{ id, state: 'approved' }]);
      const collected = await collect(id);
      expect(collected.status, collected.text).toBe(201);
      const secret = String(collected.body.secret);
      expect(await verdictOf(serverOf(), secret, { keyspace: name, scopes: ['orders:write'] })).toBe('valid');
      expect((await serverOf().get(`/v1/approvals/${id}`, as(desk.decider))).body).toMatchObject({
        state: 'collected',
        decided_by: desk.decider.id,
        key_id: collected.body.id,
      });
      expect(await eventsOf(serverOf(), id)).toEqual(['approval.requested', 'approval.approved']);
      const issuing = (await allEvents(serverOf())).find(({ subject }) => subject === collected.body.id);
      expect(issuing).toMatchObject({
        type: 'dev.keyswarm.key.issued',
        data: { approval: id, actor: desk.asker.id },
      });
      expect(serverOf().log()).not.toContain(secret);
    });

    test('is not asked for where nobody has to agree, nor with terms that an issue would refuse', async () => {
      const { name } = await ruled(['orders:write'], { max_ttl_seconds: 3600, default_ttl_seconds: 60 });
      const ask = (more: object) =>
        refused(serverOf(), () => serverOf().post('/v1/approvals', wish(name, more), as(desk.asker)));
      expect(await ask({ scopes: ['orders:read'] })).toMatchObject({ code: 'approval_not_required' });
      expect(await ask({ scopes: ['orders:write', 'x'] })).toMatchObject({ code: 'scope_not_allowed' });
      expect(await ask({ ttl_seconds: 3601 })).toMatchObject({ code: 'ttl_too_long' });
      expect(await ask({ expires_at: '2020-01-01T00:00:00Z' })).toMatchObject({ code: 'expiry_in_past' });
      expect(await ask({ wait_seconds: 59 })).toEqual({
        code: 'invalid_field',
        field: '/wait_seconds',
        status: 400,
      });
      expect(await ask({ colour: 1 })).toMatchObject({ code: 'unknown_field', field: '/colour' });
      expect(await ask({ keyspace: 'nowhere' })).toMatchObject({ code: 'not_found', field: '/keyspace' });
    });
  });

  describe('who asked does not decide', () => {
    const selfRefusal = { error: { code: 'self_approval' } };

    test('by the same key, by one that it has issued, nor by one that such a one has issued', async () => {
      const { name } = await ruled();
      const id = await request(name);
      const scopes = ['approvals:decide', 'approvals:read', 'keys:issue:keyswarm'];
      const child = await issue(serverOf(), 'keyswarm', { scopes }, as(desk.asker));
      const grandchild = await issue(serverOf(), 'keyswarm', { scopes: scopes.slice(0, 2) }, as(child));
      const before = await serverOf().changes();
      for (const by of [desk.asker, child, grandchild]) {
        expect(await approve([id], by)).toMatchObject([{ id, ...selfRefusal }]);
      }
      expect(await serverOf().changes()).toBe(before);
      expect(await stateOf(id)).toBe('pending');
    });

    test('not even a key that may do everything', async () => {
      const { name } = await ruled();
      const id = await request(name, {}, { ...desk.asker, secret: serverOf().rootKey });
      const root = { decision: 'approve', ids: [id] };
      expect((await serverOf().post('/v1/approvals/decide', root)).body.results).toMatchObject([selfRefusal]);
    });

    test('and the rule is lifted by nobody who may not decide, though widened by whoever writes the keyspace', async () => {
      const { id } = await ruled(['orders:write', 'orders:eu:*']);
      const writer = await issue(serverOf(), 'keyswarm', { scopes: ['keyspaces:write'] });
      const patch = (scopes: readonly string[], by = writer) =>
        serverOf().call('PATCH', `/v1/keyspaces/${id}`, { ...as(by), body: { approval: { scopes } } });
      for (const scopes of [[], ['orders:write'], ['orders:eu:*', 'orders:read']]) {
        expect(problemOf(await patch(scopes))).toEqual({
          code: 'forbidden',
          field: '/approval/scopes',
          status: 403,
        });
      }
      expect((await patch(['*'])).status).toBe(200);
      expect((await patch([], desk.asker)).status).toBe(200);
    });
  });

  describe('decisions', () => {
    test('that are made twice, or twenty times at once, have one effect', async () => {
      const { name } = await ruled();
      const id = await request(name);
      const before = await serverOf().changes();
      const all = await Promise.all(Array.from({ length: 20 }, () => approve([id])));
      expect(await serverOf().changes()).toBe(before + 1);
      const states = all.flat().map((result) => {
        const { state, error } = result as { state?: string; error?: { code: string } };
        return state ?? error?.code;
      });
      expect(states.sort()).toEqual([...Array(19).fill('approval_decided'), 'approved'].sort());
    });

    test('in bulk are each made or refused by itself, and named in the order asked', async () => {
      const { name } = await ruled();
      const ids = [await request(name), await request(name), await request(name)];
      await serverOf().post(`/v1/approvals/${ids[1]}/withdraw`, {}, as(desk.asker));
      const nobody = 'appr_01h455vb4pex5vsknk084sn02q';
      expect(await approve([ids[2] ?? '', nobody, ids[1] ?? '', ids[0] ?? ''])).toMatchObject([
        { id: ids[2], state: 'approved' },
        { id: nobody, error: { code: 'not_found' } },
        { id: ids[1], error: { code: 'approval_closed' } },
        { id: ids[0], state: 'approved' },
      ]);
    });

    test('by a filter reach what matches all of it, and with an Idempotency-Key tell the same again', async () => {
      const { name } = await ruled();
      const other = await ruled();
      const owner = { kind: 'service', external_id: freshName('batch') };
      const wanted = [await request(name, { owner }), await request(name, { owner })];
      const rest = [
        await request(name),
        await request(name, { owner, scopes: ['orders:write', 'orders:admin'] }),
        await request(other.name, { owner }),
      ];
      const filter = { keyspace: name, scopes: ['orders:write'], owner, requested_by: desk.asker.id };
      const options = { ...as(desk.decider), headers: { 'idempotency-key': freshName('retry') } };
      const send = () => serverOf().post('/v1/approvals/decide', { decision: 'deny', filter }, options);
      const first = await send();
      expect(first.body).toEqual({ results: wanted.map((id) => ({ id, state: 'denied' })), more: false });
      expect((await send()).text).toBe(first.text);
      expect(await Promise.all(rest.map(stateOf))).toEqual(['pending', 'pending', 'pending']);
      const none = { decision: 'deny', filter: { ...filter, requested_before: '2020-01-01T00:00:00Z' } };
      expect((await decide(none)).body).toEqual({ results: [], more: false });
    });

    test('say which requests are meant, in one way', async () => {
      const bad = (body: object) => refused(serverOf(), () => decide({ decision: 'approve', ...body }));
      const id = 'appr_01h455vb4pex5vsknk084sn02q';
      expect(await bad({})).toEqual({ code: 'missing_field', field: '/ids', status: 400 });
      expect(await bad({ filter: {} })).toMatchObject({ field: '/filter', status: 400 });
      expect(await bad({ ids: [id, id] })).toMatchObject({ field: '/ids', status: 400 });
      expect(await bad({ ids: [id], filter: { keyspace: 'x' } })).toMatchObject({ field: '/ids' });
      expect(await bad({ filter: { keyspace: 'nowhere' } })).toMatchObject({ status: 404 });
    });

    test('can be taken back until the key is collected, and the request withdrawn by who made it', async () => {
      const { name } = await ruled();
      const [one, two] = [await request(name), await request(name)];
      await approve([one, two]);
      const denied = await decide({ decision: 'deny', ids: [one], note: 'on second thought' });
      expect(denied.body.results).toEqual([{ id: one, state: 'denied' }]);
      expect(problemOf(await collect(one))).toMatchObject({ code: 'approval_closed', status: 409 });
      expect(
        problemOf(await serverOf().post(`/v1/approvals/${two}/withdraw`, {}, as(desk.decider))),
      ).toMatchObject({
        code: 'forbidden',
      });
      expect((await serverOf().post(`/v1/approvals/${two}/withdraw`, {}, as(desk.asker))).body.state).toBe(
        'withdrawn',
      );
      expect(problemOf(await collect(two))).toMatchObject({ code: 'approval_closed' });
      expect(await eventsOf(serverOf(), two)).toEqual([
        'approval.requested',
        'approval.approved',
        'approval.withdrawn',
      ]);
    });
  });

  describe('collecting', () => {
    test('gives one key to twenty who ask at once, and nothing to the nineteen others', async () => {
      const { name } = await ruled();
      const id = await request(name);
      await approve([id]);
      const replies = await Promise.all(Array.from({ length: 20 }, () => collect(id)));
      const codes = replies.map(({ status, body }) => (status === 201 ? 'issued' : body.code)).sort();
      expect(codes).toEqual([...Array(19).fill('approval_closed'), 'issued'].sort());
      const listed = await serverOf().get(`/v1/keys?keyspace=${name}`);
      expect(listed.body.items as object[]).toHaveLength(1);
    });

    test('with an Idempotency-Key gives the same secret again', async () => {
      const { name } = await ruled();
      const id = await request(name);
      await approve([id]);
      const options = { ...as(desk.asker), headers: { 'idempotency-key': freshName('retry') } };
      const first = await collect(id, options);
      expect(first.status, first.text).toBe(201);
      expect((await collect(id, options)).text).toBe(first.text);
    });

    test('is for the management key that asked, and for no other', async () => {
      const { name } = await ruled();
      const id = await request(name);
      await approve([id]);
      expect(problemOf(await collect(id, {}))).toMatchObject({ code: 'forbidden', status: 403 });
      const stranger = await issue(serverOf(), 'keyswarm', { scopes: ['keys:issue'] });
      const hidden = await collect(id, as(stranger));
      expect(problemOf(hidden)).toMatchObject({ code: 'not_found', status: 404 });
      expect(await stateOf(id)).toBe('approved');
    });

    test('goes by the rules of now: scopes that the keyspace no longer allows, a right that was taken', async () => {
      const keyspace = await ruled();
      const own = await issue(serverOf(), 'keyswarm', { scopes: ['keys:issue', 'keys:read'] });
      const id = await request(keyspace.name, {}, own);
      await approve([id]);
      const patch = (path: string, body: object) => serverOf().call('PATCH', path, { body });
      await patch(`/v1/keyspaces/${keyspace.id}`, { allowed_scopes: ['orders:read'] });
      expect(problemOf(await collect(id, as(own)))).toMatchObject({ code: 'scope_not_allowed' });
      await patch(`/v1/keyspaces/${keyspace.id}`, { allowed_scopes: ['orders:*'] });
      await patch(`/v1/keys/${own.id}`, { scopes: ['keys:read'] });
      expect(problemOf(await collect(id, as(own)))).toMatchObject({ code: 'forbidden' });
      await patch(`/v1/keys/${own.id}`, { scopes: ['keys:issue'] });
      expect((await collect(id, as(own))).status).toBe(201);
    });

    test('is over once the time is, to the moment, whether or not anything was swept', async () => {
      const { name } = await ruled();
      const [pending, approved] = [await request(name), await request(name)];
      await approve([approved]);
      await serverOf().endWait(pending);
      await serverOf().endWait(approved);
      expect(await stateOf(approved)).toBe('expired');
      expect(problemOf(await collect(approved))).toMatchObject({ code: 'approval_closed', status: 409 });
      expect(await approve([pending])).toMatchObject([{ error: { code: 'approval_closed' } }]);
      const list = async (state: string) =>
        ((await serverOf().get(`/v1/approvals?keyspace=${name}&state=${state}`)).body.items as object[])
          .length;
      expect([await list('pending'), await list('approved'), await list('expired')]).toEqual([0, 0, 2]);
    });
  });

  describe('a request', () => {
    test('is seen by those who may read requests of its keyspace, and is not there for others', async () => {
      const [mine, other] = [await ruled(), await ruled()];
      const [seen, hidden] = [await request(mine.name), await request(other.name)];
      const scopes = [`approvals:read:${mine.name}`, `approvals:decide:${mine.name}`];
      const reader = await issue(serverOf(), 'keyswarm', { scopes });
      const get = (path: string) => serverOf().get(path, as(reader));
      expect((await get(`/v1/approvals/${seen}`)).status).toBe(200);
      expect(problemOf(await get(`/v1/approvals/${hidden}`))).toMatchObject({ code: 'not_found' });
      expect(await approve([hidden], reader)).toMatchObject([{ error: { code: 'not_found' } }]);
      expect(problemOf(await get('/v1/approvals'))).toMatchObject({ code: 'forbidden', field: 'keyspace' });
      const listed = (await get(`/v1/approvals?keyspace=${mine.name}`)).body;
      expect(listed).toMatchObject({ items: [{ id: seen }], next_cursor: null });
      const tenant = await serverOf().post('/v1/workspaces', { name: freshName('tenant') });
      const { secret } = tenant.body.management_key as { secret: string };
      expect((await serverOf().get(`/v1/approvals/${seen}`, { key: secret })).status).toBe(404);
    });

    test('is found page by page, by state and by who asked', async () => {
      const { name } = await ruled();
      const ids: string[] = [];
      for (let count = 0; count < 5; count += 1) ids.push(await request(name));
      await approve([ids[2] ?? '']);
      const walked: unknown[] = [];
      let cursor = '';
      do {
        const { body } = await serverOf().get(
          `/v1/approvals?keyspace=${name}&limit=2${cursor}`,
          as(desk.decider),
        );
        walked.push(...(body.items as { id: string }[]).map(({ id }) => id));
        cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
      } while (cursor !== '');
      expect(walked).toEqual(ids);
      const list = async (query: string) =>
        ((await serverOf().get(`/v1/approvals?keyspace=${name}&${query}`)).body.items as object[]).length;
      expect([await list('state=approved'), await list('state=pending')]).toEqual([1, 4]);
      expect([
        await list(`requested_by=${desk.asker.id}`),
        await list(`requested_by=${desk.decider.id}`),
      ]).toEqual([5, 0]);
    });
  });
}

interface CloudEvent {
  readonly type: string;
  readonly subject: string;
  readonly data: object;
}

async function allEvents(server: TestServer): Promise<readonly CloudEvent[]> {
  const events: CloudEvent[] = [];
  let after = '';
  for (;;) {
    const { body } = await server.get(`/v1/events?limit=200${after}`);
    const items = body.items as CloudEvent[];
    events.push(...items);
    if (items.length === 0) return events;
    after = `&after=${body.next_cursor}`;
  }
}

async function eventsOf(server: TestServer, subject: string): Promise<readonly string[]> {
  const events = await allEvents(server);
  return events
    .filter((event) => event.subject === subject)
    .map(({ type }) => type.replace('dev.keyswarm.', ''));
}

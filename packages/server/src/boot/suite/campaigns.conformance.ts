import { describe, expect, test } from 'vitest';
import {
  issue,
  type Keyspace,
  makeKeyspace,
  manager,
  problemOf,
  refused,
  terms,
  verdictOf,
} from './fixtures.ts';
import type { Reply, TestServer } from './test-server.ts';

type Progress = Record<'selected' | 'taken' | 'skipped' | 'renewed' | 'open' | 'enforced', number>;
interface Shown {
  readonly id: string;
  readonly state: string;
  readonly phase: string;
  readonly progress: Progress;
}

/** Bulk rotations and revocations, over the wire. */
export function describeCampaigns(serverOf: () => TestServer): void {
  const atOnce = { canary: { hold_seconds: 0 }, pace: { keys_per_second: 10_000 } };

  const keysIn = async (server: TestServer, keyspace: Keyspace, count: number, more: object = {}) => {
    const keys = Array.from({ length: count }, () => terms(keyspace.name, more));
    const { body } = await server.post('/v1/keys/bulk', { keys });
    return body.results as { id: string; secret: string }[];
  };
  const start = async (server: TestServer, body: object): Promise<Shown> => {
    const reply = await server.post('/v1/campaigns', { ...atOnce, ...body });
    expect(reply.status, reply.text).toBe(201);
    return reply.body.campaign as Shown;
  };
  /** The campaign, once it says what is waited for. */
  const until = async (server: TestServer, id: string, holds: (shown: Shown) => boolean): Promise<Shown> => {
    for (;;) {
      const { body } = await server.get(`/v1/campaigns/${id}`);
      const shown = body as unknown as Shown;
      if (holds(shown)) return shown;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const ended = ({ state }: Shown) => state === 'finished';

  describe('a campaign that rotates', () => {
    test('asks every holder once, ends when all have renewed, and says how far it is', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const keys = await keysIn(server, keyspace, 12);
      const other = await issue(server, (await makeKeyspace(server)).name);
      const selector = { keyspace: keyspace.name };
      const { id } = await start(server, { kind: 'rotate', selector, confirm: 12, window_seconds: 0 });
      const waiting = await until(server, id, ({ progress }) => progress.open === 12);
      expect(waiting).toMatchObject({
        state: 'finishing',
        phase: 'wait',
        progress: { taken: 12, renewed: 0 },
      });
      const asked = async (keyId: string) =>
        (await server.post('/v1/keys/verify', { key: keys.find((key) => key.id === keyId)?.secret })).body
          .renew_after;
      for (const key of keys) expect(await asked(key.id)).toBeTypeOf('string');
      expect(
        (await server.post('/v1/keys/verify', { key: other.secret })).body.renew_after ?? null,
      ).toBeNull();
      for (const key of keys.slice(0, 11)) await server.post(`/v1/keys/${key.id}/rotate`, {});
      expect((await until(server, id, ({ progress }) => progress.renewed === 11)).state).toBe('finishing');
      // One that ends is waited for no longer.
      await server.post(`/v1/keys/${keys[11]?.id}/revoke`, {});
      const done = await until(server, id, ended);
      expect(done.progress).toMatchObject({ selected: 12, taken: 12, skipped: 0, renewed: 11, open: 0 });
      for (const key of keys.slice(0, 11)) expect(await verdictOf(server, key.secret)).toBe('valid');
    }, 30_000);

    test('asks nobody whose owner is suspended, says how many, and waits for none of them', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const free = await issue(server, keyspace.name);
      const held = [await issue(server, keyspace.name), await issue(server, keyspace.name)];
      for (const { owner } of held) await server.post(`/v1/owners/${owner}/suspend`, {});
      const selector = { keyspace: keyspace.name };
      const { id } = await start(server, { kind: 'rotate', selector, confirm: 'all', window_seconds: 0 });
      await until(server, id, ({ progress }) => progress.open === 1);
      await server.post(`/v1/keys/${free.id}/rotate`, {});
      const done = await until(server, id, ended);
      expect(done).toMatchObject({
        state: 'finished',
        progress: { taken: 1, renewed: 1, skipped: 2, skipped_suspended: 2 },
      });
    }, 30_000);

    test('takes of a keyspace what its selector says and nothing else', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const readers = await keysIn(server, keyspace, 3);
      const writers = await keysIn(server, keyspace, 2, { scopes: ['orders:write'] });
      const all = await keysIn(server, keyspace, 1, { scopes: ['orders:*'] });
      const revoked = await issue(server, keyspace.name, { scopes: ['orders:write'] });
      await server.post(`/v1/keys/${revoked.id}/revoke`, {});
      const selector = { keyspace: keyspace.id, scopes: ['orders:write'] };
      const dry = await server.post('/v1/campaigns', { kind: 'revoke', selector, dry_run: true });
      expect(dry.body).toEqual({ dry_run: true, selected: 3, selected_exact: true });
      const { id } = await start(server, { kind: 'revoke', selector, reason: 'writers are retired' });
      expect((await until(server, id, ended)).progress).toMatchObject({ taken: 3, skipped: 0 });
      for (const { secret } of [...writers, ...all]) expect(await verdictOf(server, secret)).toBe('revoked');
      for (const { secret } of readers) expect(await verdictOf(server, secret)).toBe('valid');
      const shown = await server.get(`/v1/keys/${writers[0]?.id}`);
      expect(shown.text).toContain('writers are retired');
      const events = (await server.get('/v1/events?types=campaign.started,campaign.finished&limit=200')).body;
      const told = (events.items as { subject: string; type: string }[]).filter(
        ({ subject }) => subject === id,
      );
      expect(told.map(({ type }) => type)).toEqual([
        'dev.keyswarm.campaign.started',
        'dev.keyswarm.campaign.finished',
      ]);
    });

    test('is paused, resumed and aborted, and what has ended stays so', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      await keysIn(server, keyspace, 3);
      const selector = { keyspace: keyspace.name };
      const { id } = await start(server, { kind: 'rotate', selector, confirm: 'all' });
      const command = (verb: string) => server.post(`/v1/campaigns/${id}/${verb}`);
      expect(problemOf(await command('resume'))).toMatchObject({ status: 409, code: 'not_paused' });
      expect((await command('pause')).body).toMatchObject({ state: 'paused', paused_because: 'asked' });
      expect(problemOf(await command('pause'))).toMatchObject({ code: 'already_paused', field: 'id' });
      expect((await command('resume')).body.state).toMatch(/running|finishing/);
      expect((await command('abort')).body).toMatchObject({ state: 'aborted' });
      for (const verb of ['pause', 'resume', 'abort']) {
        expect(problemOf(await command(verb))).toMatchObject({ status: 409, code: 'campaign_ended' });
      }
      const listed = (await server.get('/v1/campaigns?state=aborted&limit=200')).body.items as Shown[];
      expect(listed.map((shown) => shown.id)).toContain(id);
    });
  });

  describe('a campaign is refused, and names what is wrong', () => {
    const body = (keyspace: Keyspace, more: object = {}) => ({
      ...atOnce,
      kind: 'rotate',
      selector: { keyspace: keyspace.name },
      ...more,
    });
    const bad = async (server: TestServer, wish: object, options?: object): Promise<object> =>
      refused(server, (): Promise<Reply> => server.post('/v1/campaigns', wish, options));

    test('where it would meet another one', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const { owner } = await issue(server, keyspace.name);
      const { id } = await start(server, body(keyspace, { confirm: 'all' }));
      const again = await server.post(
        '/v1/campaigns',
        body(keyspace, { selector: { keyspace: keyspace.id, owner }, confirm: 'all' }),
      );
      expect(again.body).toMatchObject({
        code: 'campaign_overlap',
        status: 409,
        campaign: id,
        field: '/selector',
      });
      await server.post(`/v1/campaigns/${id}/abort`);
      const { id: next } = await start(server, body(keyspace, { confirm: 1 }));
      await server.post(`/v1/campaigns/${next}/abort`);
    });

    test('where it matches nothing, or everything without saying so', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      expect(await bad(server, body(keyspace, { confirm: 'all' }))).toEqual({
        code: 'nothing_selected',
        field: '/selector',
        status: 422,
      });
      await keysIn(server, keyspace, 2);
      const everything = { code: 'confirm_required', field: '/confirm', status: 409 };
      expect(await bad(server, body(keyspace))).toEqual(everything);
      // Narrowed in words only.
      const wide = { selector: { keyspace: keyspace.name, scopes: ['orders:read'] } };
      expect(await bad(server, body(keyspace, wide))).toEqual(everything);
      expect(await bad(server, body(keyspace, { confirm: 3 }))).toMatchObject({ field: '/confirm' });
    });

    test.each<readonly [string, object, string]>([
      ['a pace of nothing', { pace: { keys_per_second: 0 } }, '/pace/keys_per_second'],
      ['a pace past the lanes', { pace: { keys_per_second: 1e9 } }, '/pace/keys_per_second'],
      ['a budget over one', { pace: { error_budget: 1.5 } }, '/pace/error_budget'],
      ['a deadline in the past', { deadline: '2020-01-01T00:00:00Z' }, '/deadline'],
      [
        'a deadline within the window',
        { window_seconds: 7200, deadline: new Date(Date.now() + 3_600_000).toISOString() },
        '/deadline',
      ],
      ['a hold without end', { canary: { hold_seconds: 1e9 } }, '/canary/hold_seconds'],
      ['a deadline of a revocation', { kind: 'revoke', on_deadline: 'revoke' }, '/on_deadline'],
      ['neither a keyspace nor all', { selector: { scopes: ['orders:read'] } }, '/selector/keyspace'],
      ['a keyspace and all', { selector: { keyspace: 'keyswarm', all: true } }, '/selector/keyspace'],
      ['an unknown policy', { on_deadline: 'shrug' }, '/on_deadline'],
    ])('for %s', async (_, more, field) => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      await issue(server, keyspace.name);
      expect(await bad(server, { ...body(keyspace, { confirm: 'all' }), ...more })).toMatchObject({ field });
    });

    test('to a key that could not do by hand what it asks for', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      await issue(server, keyspace.name);
      const weak = { key: await manager(server, ['campaigns:write', 'keys:rotate:elsewhere']) };
      expect(await bad(server, body(keyspace, { confirm: 'all' }), weak)).toMatchObject({
        code: 'not_found',
      });
      const idle = { key: await manager(server, ['keys:rotate']) };
      expect(await bad(server, body(keyspace, { confirm: 'all' }), idle)).toMatchObject({
        code: 'forbidden',
      });
    });

    test('to a key that may rotate and not revoke, where its deadline would revoke', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      await issue(server, keyspace.name);
      const rotator = { key: await manager(server, ['campaigns:write', 'keys:rotate']) };
      const fatal = body(keyspace, { confirm: 'all', on_deadline: 'revoke' });
      expect(await bad(server, fatal, rotator)).toMatchObject({ code: 'forbidden' });
      const everywhere = { ...fatal, selector: { all: true } };
      const elsewhere = await manager(server, ['campaigns:write', 'keys:rotate', 'keys:revoke:elsewhere']);
      expect(await bad(server, everywhere, { key: elsewhere })).toMatchObject({ code: 'forbidden' });
    });
  });

  test('management keys beyond its starter, and the starter itself, are left out of a campaign', async () => {
    const server = serverOf();
    const scopes = ['campaigns:write', 'keys:revoke:keyswarm', 'keys:read'];
    const starter = await issue(server, 'keyswarm', { scopes });
    const equal = await issue(server, 'keyswarm', {
      scopes: ['keys:read'],
      owner: { kind: 'user', external_id: 'campaign-equal' },
    });
    const strong = await issue(server, 'keyswarm', { scopes: ['*'] });
    const reply = await server.post(
      '/v1/campaigns',
      {
        kind: 'revoke',
        canary: { hold_seconds: 0 },
        selector: { keyspace: 'keyswarm', scopes: ['keys:read'] },
        confirm: 'all',
      },
      { key: starter.secret },
    );
    expect(reply.status, reply.text).toBe(201);
    await until(server, (reply.body.campaign as Shown).id, ended);
    const stateOf = async (id: string) => (await server.get(`/v1/keys/${id}`)).body.state;
    expect(await stateOf(equal.id)).toBe('revoked');
    expect(await stateOf(strong.id)).toBe('active');
    expect(await stateOf(starter.id)).toBe('active');
  });
}

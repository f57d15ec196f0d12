import { decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { allEvents, issue, makeWorkspace, manager, problemOf, verdictOf } from './fixtures.ts';
import type { TestServer } from './test-server.ts';
import { derive, jwks, makeTokenKeyspace, statusByList } from './token-fixtures.ts';

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly algorithm: string;
}

/** The keys that sign, as their operator sees them. Each test in a workspace of its own: they share nothing. */
export function describeSigningKeys(serverOf: () => TestServer): void {
  async function bench() {
    const server = serverOf();
    const key = await makeWorkspace(server);
    const keyspace = await makeTokenKeyspace(server, {}, { key });
    const { secret } = await issue(server, keyspace.name, {}, { key });
    const list = async () =>
      (await server.get('/v1/signing-keys', { key })).body.items as unknown as readonly Shown[];
    const byState = async (state: string) => (await list()).filter((one) => one.state === state);
    const say = async (token: string) => {
      const reply = await server.post('/v1/keys/verify', { key: token }, { key });
      return reply.body.code;
    };
    return { server, key, keyspace, secret, list, byState, say };
  }

  describe('signing keys', () => {
    test('are two from the first token on: one that signs, and one that stands by', async () => {
      const { list, secret, server } = await bench();
      const keys = await list();
      expect(keys.map(({ state }) => state).sort()).toEqual(['active', 'published']);
      expect(keys.find(({ state }) => state === 'active')?.id).toBe(decodeProtectedHeader(secret).kid);
      const known = (await jwks(server)).keys.map(({ kid }) => kid);
      for (const { id } of keys) expect(known).toContain(id);
    });

    test('do not change hands before everybody can know the next one', async () => {
      const { server, key } = await bench();
      const reply = await server.post('/v1/signing-keys/rotate', { algorithm: 'EdDSA' }, { key });
      expect(problemOf(reply)).toMatchObject({ status: 409, code: 'signing_key_gate' });
      expect(Date.parse(String(reply.body.ready_at)) - Date.now()).toBeGreaterThan(300_000);
      const none = await server.post('/v1/signing-keys/rotate', { algorithm: 'ES256' }, { key });
      expect(problemOf(none)).toMatchObject({ status: 404 });
    });

    test('that leaked end at once with all they signed, and the one that stands by signs on', async () => {
      const { server, key, keyspace, secret, byState, say } = await bench();
      const derived = await derive(server, secret);
      expect([await say(secret), await say(derived)]).toEqual(['valid', 'valid']);
      const [active] = await byState('active');
      const [standby] = await byState('published');
      const reply = await server.post(`/v1/signing-keys/${active?.id}/revoke`, {}, { key });
      expect(reply.status, reply.text).toBe(200);
      expect(reply.body).toMatchObject({ state: 'removed' });
      expect([await say(secret), await say(derived)]).toEqual(['revoked', 'revoked']);
      expect((await jwks(server)).keys.map(({ kid }) => kid)).not.toContain(active?.id);
      const next = await issue(server, keyspace.name, {}, { key });
      expect(decodeProtectedHeader(next.secret).kid).toBe(standby?.id);
      expect(await say(next.secret)).toBe('valid');
      expect(await byState('published')).toHaveLength(1);
      const again = await server.post(`/v1/signing-keys/${active?.id}/revoke`, {}, { key });
      expect(problemOf(again)).toMatchObject({ code: 'signing_key_state' });
    });

    test('that leaked leave no status list behind that nobody could verify', async () => {
      const { server, key, secret, byState } = await bench();
      expect(await statusByList(server, secret)).toBe(0);
      const [active] = await byState('active');
      const reply = await server.post(`/v1/signing-keys/${active?.id}/revoke`, {}, { key });
      expect(reply.status, reply.text).toBe(200);
      expect(await statusByList(server, secret)).toBe(0);
    });

    test('are removed in no other state than retired, and never while they stand by', async () => {
      const { server, key, byState } = await bench();
      for (const state of ['active', 'published']) {
        const [one] = await byState(state);
        const reply = await server.post(`/v1/signing-keys/${one?.id}/remove`, {}, { key });
        expect(problemOf(reply)).toMatchObject({ code: 'signing_key_state' });
      }
    });

    test('are a workspace’s own business', async () => {
      const { server, list } = await bench();
      const other = await makeWorkspace(server);
      const [one] = await list();
      expect((await server.get('/v1/signing-keys', { key: other })).body.items).toEqual([]);
      const reply = await server.post(`/v1/signing-keys/${one?.id}/revoke`, {}, { key: other });
      expect(reply.status).toBe(404);
      const reader = await manager(server, ['keys:read']);
      expect((await server.get('/v1/signing-keys', { key: reader })).status).toBe(403);
    });

    test('show nothing of what is private, in replies, events or the log', async () => {
      const { server, key } = await bench();
      const shown = await server.get('/v1/signing-keys', { key });
      const events = await allEvents(server, key);
      for (const text of [shown.text, events, server.log()]) {
        expect(text).not.toContain('sealed');
        expect(text).not.toContain('PRIVATE');
      }
      expect(events).toContain('signing_key.activated');
    });
  });

  test('a forged token of a signing key that is not known is unknown', async () => {
    const { say, secret } = await bench();
    const [, claims, signature] = secret.split('.');
    const header = { alg: 'EdDSA', typ: 'at+jwt', kid: 'sk_01arz3ndektsv4rrffq69g5fav' };
    const forged = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${claims}.${signature}`;
    expect(await say(forged)).toBe('unknown');
    expect(await verdictOf(serverOf(), forged)).toBe('unknown');
  });
}

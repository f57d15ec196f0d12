import { describe, expect, it } from 'vitest';
import { failureOf, managementKey, play } from '../testing/play.ts';
import type { Step } from '../testing/scripted-server.ts';

const granted: Step = { status: 200, json: { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 60 } };
const refused = (status: number, error: string, description = 'No.', headers = {}): Step => ({
  status,
  json: { error, error_description: description },
  headers,
});

describe('tokens', () => {
  it('are asked for by a form that holds the key, and no management key is sent along', () =>
    play([granted], async ({ client, server }) => {
      const grant = await client.tokens.exchange({
        subject_token: 'orders_x&y',
        scopes: ['orders:read', 'orders:list'],
        expires_in: 60,
      });
      expect(grant.access_token).toBe('a.b.c');
      const [seen] = server.seen;
      expect(seen?.headers['content-type']).toBe('application/x-www-form-urlencoded');
      expect(seen?.headers.authorization).toBeUndefined();
      expect(Object.fromEntries(new URLSearchParams(seen?.body))).toEqual({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        subject_token: 'orders_x&y',
        scope: 'orders:read orders:list',
        expires_in: '60',
      });
    }));

  it('are introspected by a management key, and only a clear answer is one', () =>
    play(
      [
        { status: 200, json: { active: false } },
        { status: 200, json: { active: 'yes' } },
      ],
      async ({ client, server }) => {
        expect(await client.tokens.introspect('t')).toEqual({ active: false });
        expect(server.seen[0]).toMatchObject({ url: '/oauth/introspect', body: 'token=t' });
        expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${managementKey}`);
        expect((await failureOf(client.tokens.introspect('t'))).code).toBe('bad_reply');
      },
    ));

  it('are refused with the word of OAuth, in which neither key nor token stands', () =>
    play([refused(400, 'invalid_grant', 'orders_secret is not valid.')], async ({ client, server }) => {
      const error = await failureOf(client.tokens.exchange({ subject_token: 'orders_secret' }));
      expect(error).toMatchObject({
        code: 'token_refused',
        status: 400,
        detail: '[secret] is not valid.',
        extra: { error: 'invalid_grant' },
        retryable: false,
        exitCode: 4,
      });
      expect(server.seen).toHaveLength(1);
    }));

  it('are asked for again when that may help, and so is the end of a key', () =>
    play(
      [
        refused(503, 'temporarily_unavailable', 'Not now.', { 'retry-after': '2' }),
        granted,
        'drop',
        { status: 200, json: {} },
      ],
      async ({ client, server, runtime }) => {
        await client.tokens.exchange({ subject_token: 'k' });
        expect(runtime.pausesMs).toEqual([2_050]);
        expect(await client.tokens.revoke('k')).toBeUndefined();
        expect(server.seen.map(({ url }) => url)).toEqual([
          '/oauth/token',
          '/oauth/token',
          '/oauth/revoke',
          '/oauth/revoke',
        ]);
        expect(server.seen[3]?.headers['idempotency-key']).toBeUndefined();
      },
    ));

  it('are credentials as well: a client takes one that is longer than any key string', () =>
    play(
      [granted],
      async ({ client, server }) => {
        await client.tokens.introspect('t').catch(() => {});
        expect(server.seen[0]?.headers.authorization).toHaveLength(1_007);
      },
      { managementKey: 'x'.repeat(1_000) },
    ));

  it('are signed by keys that can be listed, rotated, revoked and removed', () =>
    play(
      Array.from({ length: 4 }, (): Step => ({ status: 200, json: {} })),
      async ({ client, server }) => {
        await client.signingKeys.list();
        await client.signingKeys.rotate('ES256');
        await client.signingKeys.revoke('sk_1');
        await client.signingKeys.remove('sk_2');
        expect(server.seen.map(({ method, url, body }) => [method, url, body])).toEqual([
          ['GET', '/v1/signing-keys', ''],
          ['POST', '/v1/signing-keys/rotate', '{"algorithm":"ES256"}'],
          ['POST', '/v1/signing-keys/sk_1/revoke', '{}'],
          ['POST', '/v1/signing-keys/sk_2/remove', '{}'],
        ]);
      },
    ));
});

import { describe, expect, test } from 'vitest';
import { freshName, issue, makeKeyspace, problemOf, terms, verdictOf, verify } from './fixtures.ts';
import type { Reply, TestServer } from './test-server.ts';

/** `seq`, which a reply to a change says and a verification may ask for. */
export function describePositions(serverOf: () => TestServer): void {
  const eventIds = async (): Promise<ReadonlySet<string>> => {
    const ids = new Set<string>();
    let after = '';
    for (;;) {
      const { body } = await serverOf().get(`/v1/events?limit=200${after === '' ? '' : `&after=${after}`}`);
      const items = body.items as readonly { id: string; type: string; subject: string }[];
      for (const { id, type, subject } of items) ids.add(`${id.replaceAll('-', '.')} ${type} ${subject}`);
      if (items.length === 0) return ids;
      after = String(body.next_cursor);
    }
  };
  const seqOf = (reply: Reply): string => {
    expect(reply.status, reply.text).toBeLessThan(300);
    return String(reply.body.seq);
  };

  describe('the reply to a change', () => {
    test('says where its event stands, whatever was changed, and says it again when it is replayed', async () => {
      const server = serverOf();
      const { name, id: keyspaceId } = await makeKeyspace(server);
      const key = await issue(server, name);
      const changes = [
        ['key.rotated', 'POST', `/v1/keys/${key.id}/rotate`, { grace_seconds: 60 }],
        ['key.retired', 'POST', `/v1/keys/${key.id}/finish-rotation`, { force: true }],
        ['key.updated', 'PATCH', `/v1/keys/${key.id}`, { name: 'new' }],
        ['key.suspended', 'POST', `/v1/keys/${key.id}/suspend`, {}],
        ['key.resumed', 'POST', `/v1/keys/${key.id}/resume`, {}],
        ['key.revoked', 'POST', `/v1/keys/${key.id}/revoke`, {}],
        ['owner.suspended', 'POST', `/v1/owners/${key.owner}/suspend`, {}],
        ['owner.resumed', 'POST', `/v1/owners/${key.owner}/resume`, {}],
        ['owner.keys_revoked', 'POST', `/v1/owners/${key.owner}/revoke-keys`, {}],
        ['keyspace.updated', 'PATCH', `/v1/keyspaces/${name}`, { max_ttl_seconds: 60 }],
        ['keyspace.suspended', 'POST', `/v1/keyspaces/${name}/suspend`, {}],
        ['keyspace.resumed', 'POST', `/v1/keyspaces/${name}/resume`, {}],
        ['keyspace.keys_revoked', 'POST', `/v1/keyspaces/${name}/revoke-keys`, {}],
        ['owner.created', 'POST', '/v1/owners', { kind: 'user', external_id: freshName('user') }],
        ['key.issued', 'POST', '/v1/keys', terms(name, { ttl_seconds: 30 })],
      ] as const;
      const said: string[] = [];
      for (const [type, method, path, body] of changes) {
        const options = {
          body,
          ...(method === 'POST' ? { headers: { 'idempotency-key': freshName('once') } } : {}),
        };
        const reply = await server.call(method, path, options);
        const subject = reply.body.id ?? keyspaceId;
        said.push(`${seqOf(reply)} dev.keyswarm.${type} ${subject}`);
        if (method === 'POST') expect(seqOf(await server.call(method, path, options))).toBe(reply.body.seq);
      }
      const events = await eventIds();
      for (const line of said) expect(events).toContain(line);
    });

    test('says it of each item of a bulk, of those that were refused not', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const hash = {
        format: 'sha256-hex',
        value: Buffer.from(freshName('h').padEnd(32, '0')).toString('hex'),
      };
      const headers = { 'idempotency-key': freshName('bulk') };
      for (const [path, type, keys] of [
        ['/v1/keys/bulk', 'key.issued', [terms(name), terms('nowhere'), terms(name)]],
        ['/v1/keys/import', 'key.imported', [terms(name, { hash }), terms('nowhere', { hash })]],
      ] as const) {
        const reply = await server.post(
          path,
          { keys },
          { headers: { 'idempotency-key': `${headers['idempotency-key']}${type}` } },
        );
        const results = reply.body.results as readonly { id?: string; seq?: string }[];
        expect(results.map(({ seq }) => seq !== undefined)).toEqual(keys.map((_, at) => at !== 1));
        const events = await eventIds();
        for (const { id, seq } of results) {
          if (id !== undefined) expect(events).toContain(`${seq} dev.keyswarm.${type} ${id}`);
        }
        const again = await server.post(
          path,
          { keys },
          { headers: { 'idempotency-key': `${headers['idempotency-key']}${type}` } },
        );
        expect(again.body).toEqual(reply.body);
      }
    });
  });

  describe('a verification that names a place in the feed', () => {
    test('is answered where the place is known, of an earlier epoch too', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id, secret } = await issue(server, name);
      const seq = seqOf(await server.post(`/v1/keys/${id}/rotate`, {}));
      expect(await verdictOf(server, secret, { min_seq: seq })).toBe('valid');
      const [epoch, shard] = seq.split('.').map(Number);
      expect(await verdictOf(server, secret, { min_seq: `${Number(epoch) - 1}.${shard}.999999` })).toBe(
        'valid',
      );
    });

    test('is told stale where the place is ahead of all that there is', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id, secret } = await issue(server, name);
      const [epoch, shard, seq] = seqOf(await server.post(`/v1/keys/${id}/rotate`, {}))
        .split('.')
        .map(Number);
      for (const ahead of [
        `${epoch}.${shard}.${Number(seq) + 1_000_000}`,
        `${Number(epoch) + 1}.${shard}.0`,
      ]) {
        const reply = await verify(server, { key: secret, min_seq: ahead });
        expect(problemOf(reply)).toEqual({ status: 503, code: 'stale' });
        expect(reply.headers.get('retry-after')).not.toBeNull();
      }
      const ahead = `${epoch}.${shard}.${Number(seq) + 1_000_000}`;
      const keys = [
        { key: secret, min_seq: ahead },
        { key: secret, min_seq: `${epoch}.${shard}.${seq}` },
      ];
      const { body } = await server.post('/v1/keys/verify/bulk', { keys });
      expect(body.results).toMatchObject([{ error: { code: 'stale' } }, { valid: true }]);
    });

    test.each(['', '1.2', 'x', '1.0.1e9', '-1.0.1', '1.999.1', '1.255.1', 7])(
      'is refused as %j',
      async (text) => {
        const reply = await verify(serverOf(), { key: 'x', min_seq: text });
        expect(problemOf(reply)).toEqual({ status: 400, code: 'invalid_field', field: '/min_seq' });
      },
    );
  });
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeProcess } from '../bound/node-process.ts';
import { ask, codeOf, type Desk } from './ask.ts';
import { type Plane, signal, startPlane, until } from './plane.ts';

/* By when a change is known everywhere: what a reply says of it, and whether it is true. */

let plane: Plane;
let node: NodeProcess;
let second: NodeProcess;
const ids = new Map<string, string>();

beforeAll(async () => {
  plane = await startPlane();
  for (const [name, lease_seconds] of [
    ['quick', 1],
    ['usual', 30],
    ['dialled', 30],
  ] as const) {
    ids.set(name, String((await plane.createKeyspace(name, { prefix: name, lease_seconds })).body.id));
  }
  node = await plane.startNode({ name: 'first', env: { KEYSWARM_REGION: 'north' } });
  second = await plane.startNode({ name: 'second' });
});
afterAll(() => plane?.stop());

interface Effective {
  readonly at: string;
  readonly verifiers: number;
  readonly laggards: readonly { readonly id: string; readonly name: string }[];
}

/** How long after its acknowledgement a change says that it will hold everywhere: between these two, ms. */
async function reach(path: string): Promise<{ least: number; most: number; seq: string }> {
  const sentAtMs = Date.now();
  const { body } = await plane.call('POST', path, {});
  const effectiveByMs = Date.parse(String(body.effective_by));
  return { least: effectiveByMs - Date.now(), most: effectiveByMs - sentAtMs, seq: String(body.seq) };
}

const desks = (): Desk[] => [node, second, { url: plane.server.url, managementKey: plane.managementKey }];

describe('effective_by', () => {
  it('is the acknowledgement and L·1.01, whatever it is that ends', async () => {
    for (const [keyspace, boundMs] of [
      ['quick', 1010],
      ['usual', 30_300],
    ] as const) {
      const keys = await Promise.all([1, 2, 3].map(() => plane.issue(keyspace)));
      const paths = [`/v1/keys/${keys[0]?.id}/revoke`, `/v1/keys/${keys[1]?.id}/suspend`];
      paths.push(`/v1/keyspaces/${ids.get(keyspace)}/suspend`);
      for (const path of paths) {
        const { least, most } = await reach(path);
        expect([path, most >= boundMs, least <= boundMs]).toEqual([path, true, true]);
      }
      await plane.call('POST', `/v1/keyspaces/${ids.get(keyspace)}/resume`, {});
    }
  });

  it('of an owner is that of the longest lease its keys may be under', async () => {
    const owner = { kind: 'service', external_id: 'in-two' };
    const { body } = await plane.call('POST', '/v1/owners', owner);
    await plane.issue('quick', { owner });
    await plane.issue('usual', { owner });
    for (const path of [`/v1/owners/${body.id}/suspend`, `/v1/owners/${body.id}/revoke-keys`]) {
      const { most } = await reach(path);
      expect([path, most >= 30_300]).toEqual([path, true]);
    }
  });

  it('does not come earlier because the lease was lowered just before, and follows it once that is over', async () => {
    await plane.call('PATCH', `/v1/keyspaces/${ids.get('dialled')}`, { lease_seconds: 3 });
    const changedAtMs = Date.now();
    await plane.call('PATCH', `/v1/keyspaces/${ids.get('dialled')}`, { lease_seconds: 1 });
    const key = await plane.issue('dialled');
    const { body } = await plane.call('POST', `/v1/keys/${key.id}/revoke`, {});
    // The lease of 30 s from before it was lowered may still run at somebody who has not heard of it.
    expect(Date.parse(String(body.effective_by))).toBeGreaterThanOrEqual(changedAtMs + 29_000);
  });

  it('is later at once when the lease is raised', async () => {
    const { body } = await plane.createKeyspace('raised', { prefix: 'raised', lease_seconds: 1 });
    await plane.call('PATCH', `/v1/keyspaces/${body.id}`, { lease_seconds: 60 });
    const key = await plane.issue('raised');
    const { least, most } = await reach(`/v1/keys/${key.id}/revoke`);
    expect([most >= 60_600, least <= 60_600]).toEqual([true, true]);
  });
});

describe('?wait=effective', () => {
  it('says so only when every node refuses, long before the bound in health', async () => {
    for (let round = 0; round < 10; round += 1) {
      const key = await plane.issue('usual');
      for (const desk of desks()) expect(await codeOf(desk, { key: key.secret })).toBe('valid');
      const { body } = await plane.call('POST', `/v1/keys/${key.id}/revoke?wait=effective`, {});
      const codes = await Promise.all(desks().map((desk) => codeOf(desk, { key: key.secret })));
      expect(codes).toEqual(['revoked', 'revoked', 'revoked']);
      const { at, laggards, verifiers } = body.effective as Effective;
      expect({ laggards, verifiers }).toEqual({ laggards: [], verifiers: 3 });
      expect(Date.parse(at)).toBeLessThan(Date.parse(String(body.effective_by)));
    }
  });

  it('is answered on all that ends: keys, owners, keyspaces', async () => {
    const owner = { kind: 'service', external_id: 'waited-for' };
    const { body } = await plane.call('POST', '/v1/owners', owner);
    const key = await plane.issue('usual', { owner });
    const keyspace = `/v1/keyspaces/${ids.get('usual')}`;
    for (const [path, undo] of [
      [`/v1/keys/${key.id}/suspend`, `/v1/keys/${key.id}/resume`],
      [`/v1/owners/${body.id}/suspend`, `/v1/owners/${body.id}/resume`],
      [`${keyspace}/suspend`, `${keyspace}/resume`],
      [`/v1/owners/${body.id}/revoke-keys`, undefined],
    ] as const) {
      const reply = await plane.call('POST', `${path}?wait=effective`, {});
      expect([path, (reply.body.effective as Effective | undefined)?.laggards]).toEqual([path, []]);
      for (const desk of desks()) expect(await codeOf(desk, { key: key.secret })).not.toBe('valid');
      if (undo !== undefined) await plane.call('POST', undo, {});
    }
  });

  it('names a node that stands still, at the bound and not before, and the node accepts nothing when it wakes', async () => {
    const key = await plane.issue('quick');
    expect(await codeOf(second, { key: key.secret })).toBe('valid');
    signal(second.pid, 'SIGSTOP');
    try {
      const { body } = await plane.call('POST', `/v1/keys/${key.id}/revoke?wait=effective`, {});
      const answeredAtMs = Date.now();
      const { at, laggards } = body.effective as Effective;
      expect(laggards.map(({ name }) => name)).toEqual(['second']);
      expect(Math.abs(Date.parse(at) - Date.parse(String(body.effective_by)))).toBeLessThan(200);
      expect(answeredAtMs).toBeGreaterThanOrEqual(Date.parse(at));
      const listed = await plane.call('GET', '/v1/verifiers');
      const byName = new Map(
        (listed.body.items as { name: string; id: string }[]).map((item) => [item.name, item]),
      );
      expect(laggards[0]?.id).toBe(byName.get('second')?.id);
    } finally {
      signal(second.pid, 'SIGCONT');
    }
    expect(['revoked', '503 stale']).toContain(await codeOf(second, { key: key.secret }));
    await until('it is fresh again', async () => (await codeOf(second, { key: key.secret })) === 'revoked');
  });

  it.each(['true', 'EFFECTIVE', '', '1'])(
    'says what it would have taken in place of wait=%s',
    async (wait) => {
      const key = await plane.issue('usual');
      const reply = await ask(`${plane.server.url}/v1/keys/${key.id}/revoke?wait=${wait}`, {
        as: plane.managementKey,
        body: {},
      });
      expect([reply.status, reply.body.code, reply.body.field]).toEqual([400, 'invalid_field', 'wait']);
      expect(String(reply.body.expected)).toContain('effective');
      expect(await codeOf(node, { key: key.secret })).toBe('valid');
    },
  );
});

describe('/v1/verifiers', () => {
  it('tells who verifies, where, how far it is and how old its lease', async () => {
    const { body } = await plane.call('GET', '/v1/verifiers');
    const items = body.items as Record<string, unknown>[];
    const names = items.map((item) => String(item.name));
    expect(names).toEqual(names.toSorted());
    expect(body.total).toBe(items.length);
    const first = items.find((item) => item.name === 'first');
    expect(first).toMatchObject({
      kind: 'node',
      region: 'north',
      state: 'leased',
      rows_behind: expect.any(Number),
    });
    expect(first?.lease_age_ms).toEqual(expect.any(Number));
    expect(Number(first?.lease_age_ms)).toBeLessThan(5_000);
    expect(Math.abs(Date.parse(String(first?.seen_at)) - Date.parse(String(body.as_of)))).toBeLessThan(5_000);
    const server = items.find((item) => item.kind === 'server');
    expect((first?.relay as { id: string } | undefined)?.id).toBe(server?.id);
  });

  it('shows one that was killed as no longer heard of', async () => {
    const doomed = await plane.startNode({ name: 'doomed' });
    signal(doomed.pid, 'SIGKILL');
    const state = await until('it is missed', async () => {
      const { body } = await plane.call('GET', '/v1/verifiers');
      const found = (body.items as Record<string, unknown>[]).find((item) => item.name === 'doomed');
      return (found?.state === 'silent' || found?.state === 'fenced') && found.state;
    });
    expect(['silent', 'fenced']).toContain(state);
  });

  it('wants its own scope', async () => {
    const reader = await plane.mintManagementKey(['verifiers:read']);
    const other = await plane.mintManagementKey(['feed:read', 'feed:read:keyswarm', 'keys:verify']);
    const url = `${plane.server.url}/v1/verifiers`;
    expect((await ask(url, { as: reader.secret })).status).toBe(200);
    const refused = await ask(url, { as: other.secret });
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leavesOut } from '@keyswarm/harness/leaves-out';
import { noWallClocks, wallClock } from '@keyswarm/harness/wall-clock';
import { mintBootstrapKey, systemRandom } from '@keyswarm/server/start';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CommandServer, spawnCommand, startServerCommand } from './testing/spawn-command.ts';
import { type CommandNode, startNodeCommand } from './testing/spawn-node.ts';

/* Real processes: a server, and verify-only nodes that know of it what comes over HTTP and nothing else. */

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-nodes-'));
const rootKey = mintBootstrapKey(systemRandom).reveal();
const patience = { timeout: 30_000, interval: 20 };
const nodes: CommandNode[] = [];
let server: CommandServer;
let credential: string;
let near: CommandNode;
let far: CommandNode;

async function call(url: string, method: string, path: string, body?: unknown, key = rootKey) {
  const reply = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  return {
    status: reply.status,
    body: (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>,
  };
}

const post = (path: string, body: unknown = {}) => call(server.url, 'POST', path, body);

async function startNode(
  options: Partial<Parameters<typeof startNodeCommand>[0]> = {},
): Promise<CommandNode> {
  const node = await startNodeCommand({ relay: server.url, credential, ...options });
  nodes.push(node);
  return node;
}

const readiness = (node: CommandNode) => call(node.url, 'GET', '/readyz');
const untilReady = (node: CommandNode) =>
  vi.waitFor(async () => expect((await readiness(node)).status).toBe(200), patience);

/** `valid`, the code of a refusal, or the status of an answer that is none. */
async function verdict(node: CommandNode, key: string, more: object = {}): Promise<unknown> {
  const { status, body } = await call(node.url, 'POST', '/v1/keys/verify', { key, ...more });
  return status === 200 ? body.code : status;
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  expect(lines.length, name).toBeGreaterThan(0);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

let count = 0;
const terms = (keyspace: string, more: object = {}) => {
  count += 1;
  return { keyspace, owner: { kind: 'service', external_id: `s${count}` }, scopes: ['orders:read'], ...more };
};

async function issue(keyspace: string, more: object = {}) {
  const { status, body } = await post('/v1/keys', terms(keyspace, more));
  expect(status, JSON.stringify(body)).toBe(201);
  return { id: String(body.id), secret: String(body.secret), owner: String(body.owner_id) };
}

/** Who had not said in time that it knows: nobody, where all is well. */
async function revokeEffectively(id: string): Promise<unknown> {
  const { status, body } = await post(`/v1/keys/${id}/revoke?wait=effective`);
  expect(status, JSON.stringify(body)).toBe(200);
  return (body.effective as { laggards: unknown }).laggards;
}

beforeAll(async () => {
  server = await startServerCommand(join(folder, 'store'), {
    variables: { KEYSWARM_BOOTSTRAP_KEY: rootKey },
  });
  for (const [name, lease] of [
    ['orders', 30],
    ['strict', 1],
  ] as const) {
    const body = { name, prefix: name, allowed_scopes: ['orders:*'], lease_seconds: lease };
    expect((await post('/v1/keyspaces', body)).status).toBe(201);
  }
  // The least that a node's credential needs.
  credential = (await issue('keyswarm', { scopes: ['feed:read', 'feed:read:keyswarm'] })).secret;
  [near, far] = await Promise.all([
    startNode({ args: ['--name', 'near'] }),
    startNode({ args: ['--name', 'far'] }),
  ]);
  await Promise.all([untilReady(near), untilReady(far)]);
});
afterAll(async () => {
  for (const { child } of [...nodes, ...(server === undefined ? [] : [server])]) {
    child.kill('SIGCONT');
    child.kill('SIGTERM');
  }
  await Promise.all([...nodes, server].map((each) => each?.ended));
  rmSync(folder, { recursive: true, force: true });
});

describe('two nodes', () => {
  it('know every one of 1,000 keys at once, issued while others are', async () => {
    let busy = true;
    const load = (async () => {
      while (busy) await issue('orders');
    })();
    const seen = new Set<unknown>();
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { body } = await post('/v1/keys/bulk', {
          keys: Array.from({ length: 100 }, () => terms('orders')),
        });
        for (const { secret } of body.results as readonly { secret: string }[]) {
          for (const code of await Promise.all([verdict(near, secret), verdict(far, secret)])) seen.add(code);
        }
      }),
    );
    busy = false;
    await load;
    expect([...seen]).toEqual(['valid']);
  });

  it('refuse a revoked key from the moment that the revocation is called effective', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id, secret } = await issue('orders');
      expect(await verdict(near, secret)).toBe('valid');
      expect(await revokeEffectively(id)).toEqual([]);
      expect(await Promise.all([verdict(near, secret), verdict(far, secret)])).toEqual([
        'revoked',
        'revoked',
      ]);
    }
  });

  it('and one behind a third hear of it in the same way, and the last goes stale with the one before it', async () => {
    const region = await startNode({
      args: ['--serve-feed', 'true', '--region', 'eu', '--name', 'eu-relay'],
    });
    await untilReady(region);
    const behind = await startNode({ relay: region.url, args: ['--name', 'behind'] });
    await untilReady(behind);
    const { id, secret } = await issue('orders');
    expect(await verdict(behind, secret)).toBe('valid');
    expect(await revokeEffectively(id)).toEqual([]);
    expect(await verdict(behind, secret)).toBe('revoked');
    const strict = await issue('strict');
    expect(await verdict(behind, strict.secret)).toBe('valid');
    region.child.kill('SIGSTOP');
    await expect.poll(() => verdict(behind, strict.secret), patience).toBe(503);
    region.child.kill('SIGCONT');
    await expect.poll(() => verdict(behind, strict.secret), patience).toBe('valid');
  });

  it('refuse all keys of a suspended owner, asked for by the place of the change', async () => {
    const { secret, owner } = await issue('orders');
    const { seq } = (await post(`/v1/owners/${owner}/suspend`)).body;
    for (const node of [near, far]) expect(await verdict(node, secret, { min_seq: seq })).toBe('suspended');
    await post(`/v1/owners/${owner}/resume`);
    for (const node of [near, far]) expect(await verdict(node, secret)).toBe('valid');
  });

  it('stand in the list of verifiers, with whom they follow and how far they are', async () => {
    const { stdout, code } = await spawnCommand(['verifiers', 'list', '--json', '--url', server.url], {
      variables: { KEYSWARM_KEY: rootKey },
    }).ended;
    expect(code).toBe(0);
    const { items } = JSON.parse(stdout) as { items: readonly Record<string, unknown>[] };
    for (const name of ['near', 'far']) {
      const found = items.filter((item) => item.name === name);
      expect(found).toEqual([expect.objectContaining({ kind: 'node', state: 'leased' })]);
    }
    const behind = items.find(({ name }) => name === 'behind');
    expect(behind?.relay, 'whom it asked last').toMatchObject({ name: 'eu-relay' });
    const shown = await spawnCommand(['verifiers', 'list', '--url', server.url], {
      variables: { KEYSWARM_KEY: rootKey },
    }).ended;
    expect(shown.stdout).toMatch(/^NAME +KIND +REGION/);
    expect(shown.stdout).toMatch(/eu-relay +relay +eu +leased/);
  });

  it('are found well by doctor, which says that they are verifiers', async () => {
    const { stdout, code } = await spawnCommand(['doctor', '--json', '--url', near.url], {
      variables: { KEYSWARM_KEY: rootKey },
    }).ended;
    const { findings } = JSON.parse(stdout) as { findings: readonly { check: string; state: string }[] };
    expect(findings.filter(({ state }) => state === 'fault')).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(['server', 'ready', 'key']));
    expect(findings).toContainEqual(expect.objectContaining({ check: 'role', state: 'warning' }));
    expect(code).toBe(0);
  });

  it('ask the store nothing for a flood of forged keys beyond some reads of the heads', async () => {
    const before = await metric(server.url, 'keyswarm_store_statements_total');
    const readsBefore = await metric(server.url, 'keyswarm_relay_head_reads_total');
    const forged = (length: number) =>
      Array.from({ length }, (_, at) => ({
        key: at % 2 === 0 ? `orders_${at}` : mintBootstrapKey(systemRandom).reveal(),
      }));
    const bulk = (keys: readonly object[]) => call(near.url, 'POST', '/v1/keys/verify/bulk', { keys });
    const replies = await Promise.all(Array.from({ length: 20 }, () => bulk(forged(500))));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    const statements = (await metric(server.url, 'keyswarm_store_statements_total')) - before;
    const reads = (await metric(server.url, 'keyswarm_relay_head_reads_total')) - readsBefore;
    expect(reads).toBeLessThan(1_000);
    // Beside them, what a server does by the clock: its own lease, the registry of verifiers.
    expect(statements - reads).toBeLessThan(200);
  });
});

describe('a node', () => {
  it('that was killed comes back from its file, and asks for no snapshot', async () => {
    const args = ['--snapshot-path', join(folder, 'snapshot')];
    const first = await startNode({ args });
    await untilReady(first);
    first.child.kill('SIGTERM');
    expect((await first.ended).code).toBe(0);
    const second = await startNode({ args });
    await untilReady(second);
    second.child.kill('SIGKILL');
    await second.ended;
    const { secret } = await issue('orders');
    const third = await startNode({ args });
    await untilReady(third);
    expect(await verdict(third, secret)).toBe('valid');
    expect(await metric(third.url, 'keyswarm_snapshots_total')).toBe(0);
  });

  it('says neither yes nor no once its relay has hung for a lease, serves what has a longer one, and heals', async () => {
    const strict = await issue('strict');
    const lasting = await issue('orders');
    expect(await verdict(near, strict.secret)).toBe('valid');
    server.child.kill('SIGSTOP');
    try {
      await expect.poll(() => verdict(near, strict.secret), patience).toBe(503);
      expect(await verdict(near, lasting.secret)).toBe('valid');
    } finally {
      server.child.kill('SIGCONT');
    }
    await expect.poll(() => verdict(near, strict.secret), patience).toBe('valid');
    expect(await verdict(near, lasting.secret)).toBe('valid');
  });

  it('ends with 0 when it is told to', async () => {
    const leaving = await startNode();
    await untilReady(leaving);
    leaving.child.kill('SIGTERM');
    const { code, stdout } = await leaving.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('"stopped"');
  });

  it.each([
    ['nonsense', []],
    ['a key that may not read the feed', ['keys:verify']],
  ])('with %s for a credential stays, says so, and shows it to nobody', async (_, scopes) => {
    const wrong =
      scopes.length === 0 ? 'nonsense-and-nothing-else' : (await issue('keyswarm', { scopes })).secret;
    const refused = await startNode({ credential: wrong });
    await expect
      .poll(async () => (await readiness(refused)).body.notes, patience)
      .toEqual([expect.stringMatching(/^refused: http:.* refused with 40[13]/)]);
    expect((await readiness(refused)).status).toBe(503);
    expect(await verdict(refused, 'x')).toBe(503);
    expect(refused.log()).toContain('the relay refuses the credential');
    expect(refused.log()).not.toContain(wrong);
    expect(refused.child.exitCode).toBeNull();
  });

  it('whose credential may not read management keys says that nobody can ask it', async () => {
    const narrow = (await issue('keyswarm', { scopes: ['feed:read'] })).secret;
    const mute = await startNode({ credential: narrow });
    await expect
      .poll(async () => (await readiness(mute)).body.checks, patience)
      .toMatchObject({
        verifier: 'ok',
        callers: 'failing',
      });
    expect(JSON.stringify((await readiness(mute)).body.notes)).toContain('feed:read:keyswarm');
    // Not 401: it can't know.
    expect(await verdict(mute, 'x')).toBe(503);
  });

  it('that may read only a part serves no feed: behind it the keys of the rest would be unknown', async () => {
    const scopes = ['feed:read:orders', 'feed:read:keyswarm'];
    const part = (await issue('keyswarm', { scopes })).secret;
    const relay = await startNode({ credential: part, args: ['--serve-feed', 'true'] });
    await untilReady(relay);
    await expect.poll(() => relay.log(), patience).toContain('the feed is not served');
    expect(await verdict(relay, (await issue('orders')).secret)).toBe('valid');
    const behind = await startNode({ relay: relay.url });
    await expect
      .poll(async () => (await readiness(behind)).body.notes, patience)
      .toEqual([expect.stringContaining('answered 503')]);
    expect(await verdict(behind, (await issue('strict')).secret)).toBe(503);
  });

  it('whose relay is not there yet waits for it', async () => {
    const early = await startNode({ relay: 'http://127.0.0.1:9' });
    expect((await readiness(early)).status).toBe(503);
    expect(await verdict(early, 'x')).toBe(503);
    await expect.poll(() => early.log(), patience).toContain('the feed can not be followed');
    expect(early.child.exitCode).toBeNull();
  });
});

const missing = noWallClocks();
describe.skipIf(leavesOut(missing))('a node whose wall clock is an hour off', () => {
  it.concurrent.each(['+3600s', '-3600s'])(
    'by %s ends a key when the authority’s clock says so',
    async (offset) => {
      const node = await startNode({ variables: wallClock({ offset }) });
      await untilReady(node);
      const saidMs = Date.parse(/"time":"([^"]+)"/.exec(node.log())?.[1] ?? '');
      expect(Math.sign(saidMs - Date.now()) * Math.sign(Number.parseInt(offset, 10)), 'it is off').toBe(1);
      expect(Math.abs(saidMs - Date.now())).toBeGreaterThan(3_000_000);
      const short = await issue('orders', { ttl_seconds: 3 });
      const long = await issue('orders', { ttl_seconds: 600 });
      expect(await verdict(node, long.secret)).toBe('valid');
      expect(await verdict(node, short.secret)).toBe('valid');
      await expect.poll(() => verdict(node, short.secret), patience).toBe('expired');
      expect(await verdict(node, long.secret)).toBe('valid');
    },
  );
});

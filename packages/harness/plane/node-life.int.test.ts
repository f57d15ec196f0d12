import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask, codeOf, type Desk } from './ask.ts';
import { freePort, type IssuedKey, type Plane, startPlane, until } from './plane.ts';
import { type Running, runKeyswarm } from './run-keyswarm.ts';

/* A verify-only node as an operator meets it: `keyswarm verifier`, what it prints, what it answers to probes, how it ends. */

let plane: Plane;
let credential: IssuedKey;
let key: IssuedKey;
const running: Running[] = [];

beforeAll(async () => {
  plane = await startPlane();
  await plane.createKeyspace('orders-live');
  credential = await plane.mintManagementKey(['feed:read', 'feed:read:keyswarm']);
  key = await plane.issue('orders-live');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.end('SIGKILL')));
});
afterAll(() => plane?.stop());

interface Started {
  readonly process: Running;
  readonly desk: Desk;
}

async function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const port = await freePort();
  const process = runKeyswarm(['verifier', '--port', String(port), ...args], env, plane.dataDir);
  running.push(process);
  return { process, desk: { url: `http://127.0.0.1:${port}`, managementKey: plane.managementKey } };
}

const statusOf = (desk: Desk, path: string): Promise<number> =>
  ask(desk.url + path).then(
    ({ status }) => status,
    () => 0,
  );
const listens = ({ desk }: Started) =>
  until('it listens', async () => (await statusOf(desk, '/healthz')) === 200);
const ready = ({ desk }: Started) =>
  until('it is ready', async () => (await statusOf(desk, '/readyz')) === 200);
const notesOf = async ({ desk }: Started): Promise<string> =>
  String((await ask(`${desk.url}/readyz`)).body.notes ?? '');

describe('a node that runs', () => {
  it('needs the scopes feed:read and feed:read:keyswarm and nothing more, tells its probes so, and drains on SIGTERM', async () => {
    const started = await node(['--relay', plane.server.url, '--name', 'edge-7', '--region', 'south'], {
      KEYSWARM_VERIFIER_KEY: credential.secret,
    });
    await ready(started);
    expect(await codeOf(started.desk, { key: key.secret })).toBe('valid');
    const { body } = await ask(`${started.desk.url}/readyz`);
    expect(body).toMatchObject({ status: 'ready', lease_age_ms: expect.any(Number), quarantined_shards: [] });
    const metrics = await ask(`${started.desk.url}/metrics`);
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(metrics.text).toMatch(/^keyswarm_verifications_total\{[^}]*verdict="valid"[^}]*\} [1-9]/m);
    expect(metrics.text).toMatch(/^keyswarm_lease_age_seconds\S* 0\.\d+/m);
    expect(metrics.text).toMatch(/^keyswarm_feed_lag_rows\S* 0$/m);
    expect(metrics.text).toMatch(/^keyswarm_resident_versions\S* [1-9]/m);
    const held = Array.from({ length: 20 }, () => codeOf(started.desk, { key: key.secret }).catch(String));
    expect(await started.process.end('SIGTERM')).toBe(0);
    for (const answer of await Promise.all(held)) expect(answer).not.toMatch(/^(revoked|unknown|500)/);
    expect(started.process.output()).not.toContain(credential.secret);
    expect(started.process.output()).not.toContain(key.secret);
  });

  it('stops on Ctrl-C with exit code 0', async () => {
    const started = await node(['--relay', plane.server.url], { KEYSWARM_VERIFIER_KEY: credential.secret });
    await ready(started);
    expect(await started.process.end('SIGINT')).toBe(0);
  });

  it('takes its credential from a file, and the relay from the file of settings', async () => {
    const path = join(plane.dataDir, 'verifier.key');
    await writeFile(path, `${credential.secret}\n`, { mode: 0o600 });
    await writeFile(
      join(plane.dataDir, 'node.json'),
      JSON.stringify({ relays: plane.server.url, verifier_key_file: path }),
    );
    const started = await node(['--config', join(plane.dataDir, 'node.json')]);
    await ready(started);
    expect(await codeOf(started.desk, { key: key.secret })).toBe('valid');
  });

  it('turns away what one management key asks beyond its share, with 429 and Retry-After, and says why', async () => {
    const started = await node(['--relay', plane.server.url, '--caller-in-flight-max', '1'], {
      KEYSWARM_VERIFIER_KEY: credential.secret,
    });
    await ready(started);
    const forged = { key: mintKeyString('orders', randomBytes) };
    const url = `${started.desk.url}/v1/keys/verify`;
    const replies = await Promise.all(
      Array.from({ length: 60 }, () => ask(url, { as: plane.managementKey, body: forged })),
    );
    const refused = replies.filter(({ status }) => status === 429);
    expect(new Set(replies.map(({ status, body }) => `${status} ${body.code}`))).toEqual(
      new Set(['200 unknown', '429 rate_limited']),
    );
    for (const { headers } of refused) expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await codeOf(started.desk, { key: key.secret })).toBe('valid');
  });

  it('holds only the keyspaces that it is told to', async () => {
    await plane.createKeyspace('elsewhere', { prefix: 'elsewhere' });
    const other = await plane.issue('elsewhere');
    const started = await node(
      ['--relay', plane.server.url, '--keyspace', 'orders-live', '--keyspace', 'keyswarm'],
      { KEYSWARM_VERIFIER_KEY: credential.secret },
    );
    await ready(started);
    expect(await codeOf(started.desk, { key: key.secret })).toBe('valid');
    expect(await codeOf(started.desk, { key: other.secret })).toBe('unknown');
    expect(await codeOf(started.desk, { key: (await plane.issue('orders-live')).secret })).toBe('valid');
  });
});

describe('a node that can not do its work', () => {
  it.each([
    ['that nobody knows', async () => mintKeyString('keyswarm', randomBytes)],
    ['that may not read the feed', async () => (await plane.mintManagementKey(['keys:verify'])).secret],
    ['that is a key of another keyspace', async () => key.secret],
  ])('with a credential %s says so, stays up, is not ready, and accepts nothing', async (_, credentialOf) => {
    const wrong = await credentialOf();
    const started = await node(['--relay', plane.server.url], { KEYSWARM_VERIFIER_KEY: wrong });
    await listens(started);
    await until('it says why', () => /refuse/i.test(started.process.output()));
    expect(await statusOf(started.desk, '/readyz')).toBe(503);
    expect(await statusOf(started.desk, '/healthz')).toBe(200);
    expect(await codeOf(started.desk, { key: key.secret })).toBe('503 stale');
    expect(await notesOf(started)).toMatch(/refuse|credential/i);
    expect(started.process.output()).not.toContain(wrong);
    expect(await started.process.end()).toBe(0);
  });

  it('with a credential that may not read management keys says which scope is missing', async () => {
    const narrow = await plane.mintManagementKey(['feed:read']);
    const started = await node(['--relay', plane.server.url], { KEYSWARM_VERIFIER_KEY: narrow.secret });
    await listens(started);
    await until('it says what is missing', async () => (await notesOf(started)).includes('keyswarm'));
  });

  it('with a relay that is not there says so, is not ready and accepts nothing', async () => {
    const port = await freePort();
    const started = await node(['--relay', `http://127.0.0.1:${port}`], {
      KEYSWARM_VERIFIER_KEY: credential.secret,
    });
    await listens(started);
    await until('it says so', () => started.process.output().includes('ECONNREFUSED'));
    expect(await statusOf(started.desk, '/readyz')).toBe(503);
    const reply = await ask(`${started.desk.url}/v1/keys/verify`, {
      as: plane.managementKey,
      body: { key: key.secret },
    });
    expect([reply.status, reply.body.code]).toEqual([503, 'stale']);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await started.process.end()).toBe(0);
  });

  it('with a port that is taken ends at once, and says why', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await until('it is taken', () => taken.listening);
    const { port } = taken.address() as { port: number };
    const process = runKeyswarm(['verifier', '--relay', plane.server.url, '--port', String(port)], {
      KEYSWARM_VERIFIER_KEY: credential.secret,
    });
    running.push(process);
    expect(await process.exited).not.toBe(0);
    expect(process.output()).toMatch(/another process listens|EADDRINUSE/);
    expect(process.output()).toContain('--port');
    expect(process.output()).not.toContain('    at ');
    taken.close();
  });
});

/* All at once: each of them is a process that lives for half a second, and waits for its files most of that. */
describe('settings that can not be meant end the start with 2, and are named', () => {
  const good = {
    KEYSWARM_VERIFIER_KEY: mintKeyString('keyswarm', randomBytes),
    KEYSWARM_RELAYS: 'http://127.0.0.1:9',
  };
  const wrong = [
    [['--nonsense', '3'], good, '--nonsense'],
    [['--port', '99999'], good, '--port'],
    [['--port', 'http'], good, '--port'],
    [['--relay', 'ftp://example.org'], good, '--relay'],
    [['--relay', 'http://user:pass@example.org'], good, '--relay'],
    [['--serve-feed', 'maybe'], good, '--serve-feed'],
    [['--database-url', 'postgres://localhost/x'], good, '--database-url'],
    [[], { KEYSWARM_VERIFIER_KEY: good.KEYSWARM_VERIFIER_KEY }, 'KEYSWARM_RELAYS'],
    [[], { KEYSWARM_RELAYS: good.KEYSWARM_RELAYS }, 'KEYSWARM_VERIFIER_KEY'],
    [[], { ...good, KEYSWARM_VERIFIER_KEY: 'no key' }, 'KEYSWARM_VERIFIER_KEY'],
    [[], { ...good, KEYSWARM_REGION: 'x'.repeat(65) }, 'KEYSWARM_REGION'],
  ] as const;
  let started: readonly Running[] = [];
  beforeAll(() => {
    started = wrong.map(([args, env]) => runKeyswarm(['verifier', '--port', '0', ...args], env));
  });
  afterAll(() => Promise.all(started.map((process) => process.end('SIGKILL'))));
  it.each(wrong.map(([args, , named], at) => [args, named, at] as const))('%j %s', async (_, named, at) => {
    const process = started[at];
    if (process === undefined) throw new Error('every case was started');
    expect([await process.exited, process.output()]).toEqual([2, expect.stringContaining(named)]);
    expect(process.output()).toMatch(/expected/);
    expect(process.output()).not.toContain('    at ');
    expect(process.output()).not.toContain(good.KEYSWARM_VERIFIER_KEY);
  });
});

it('config explain and config print tell of a node, and show no secret', async () => {
  const env = { KEYSWARM_VERIFIER_KEY: credential.secret, KEYSWARM_RELAYS: plane.server.url };
  const explained = runKeyswarm(['config', 'explain', '--verifier'], env);
  expect(await explained.exited).toBe(0);
  for (const name of ['relays', 'verifier_key', 'forward_auth', 'serve_feed', 'snapshot_path']) {
    expect(explained.stdout()).toMatch(new RegExp(`^${name}$`, 'm'));
  }
  const printed = runKeyswarm(['config', 'print', '--verifier'], env);
  expect(await printed.exited).toBe(0);
  expect(printed.stdout()).toContain(plane.server.url);
  expect(printed.stdout()).toContain('[secret]');
  expect(printed.output()).not.toContain(credential.secret);
});

it('keyswarm verifiers list prints who they are, as people and as programs read it', async () => {
  const started = await node(['--relay', plane.server.url, '--name', 'listed', '--region', 'south'], {
    KEYSWARM_VERIFIER_KEY: credential.secret,
  });
  await ready(started);
  const env = { KEYSWARM_URL: plane.server.url, KEYSWARM_KEY: plane.managementKey };
  const list = async (args: readonly string[]): Promise<Running> => {
    const listed = runKeyswarm(['verifiers', 'list', ...args], env);
    expect([await listed.exited, listed.output()]).toEqual([0, expect.any(String)]);
    return listed;
  };
  const text = (await list([])).stdout();
  expect(text).toMatch(/listed.*south/);
  const { items } = JSON.parse((await list(['--json'])).stdout()) as { items: Record<string, unknown>[] };
  const found = items.find(({ name }) => name === 'listed');
  expect(found).toMatchObject({ kind: 'node', region: 'south', state: expect.any(String) });
});

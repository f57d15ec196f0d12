import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  figuresOf,
  freePort,
  isAlive,
  Line,
  lineToEach,
  type SpawnedWorkers,
  scrape,
  spawnWorkers,
  until,
  type Variables,
  variablesFor,
} from './testing/spawn-workers.ts';

/* Real workers: processes of the command on a real PostgreSQL. */

let postgres: Postgres;
const spawned: SpawnedWorkers[] = [];
const lines: Line[] = [];
const strangers: Server[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
});
afterEach(async () => {
  for (const line of lines.splice(0)) line.close();
  for (const stranger of strangers.splice(0)) stranger.close();
  for (const server of spawned.splice(0)) await server.killAll();
});
afterAll(() => postgres.stop());

function spawn(args: readonly string[], variables: Variables): SpawnedWorkers {
  const server = spawnWorkers(args, variables);
  spawned.push(server);
  return server;
}

interface Started extends SpawnedWorkers {
  readonly url: string;
}

async function start({ workers = 2, variables = {} as Variables } = {}): Promise<Started> {
  const databaseUrl = await postgres.createDatabase();
  const args = ['--port', '0', '--workers', String(workers)];
  const server = spawn(args, variablesFor(databaseUrl, variables));
  await server.said('"msg":"listening"');
  const url = /"url":"([^"]+)"/.exec(server.output())?.[1] ?? '';
  return { ...server, url };
}

async function linesOf(server: Started, workers = 2): Promise<readonly Line[]> {
  const each = await lineToEach(server.url, server.rootKey, workers);
  lines.push(...each);
  return each;
}

const terms = (name: string) => ({
  keyspace: 'keyswarm',
  owner: { kind: 'service', external_id: name },
  scopes: ['keys:verify'],
});

async function listen(port: number, reusePort: boolean): Promise<number> {
  const stranger = createServer();
  strangers.push(stranger);
  stranger.listen({ host: '127.0.0.1', port, reusePort });
  await once(stranger, 'listening');
  const address = stranger.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('two workers', () => {
  test('both serve on the port that the first one took, ready only together, and print one first key', async () => {
    const server = await start({ variables: { KEYSWARM_BOOTSTRAP_KEY: '' } });
    const key = /KEYSWARM_KEY=(\S+)/.exec(server.output())?.[1] ?? '';
    const both = await lineToEach(server.url, key, 2);
    lines.push(...both);
    expect(server.output().match(/KEYSWARM_KEY=/g)).toHaveLength(1);
    expect(server.workerPid(1)).not.toBe(server.workerPid(2));
    for (const line of both) expect((await line.call('GET', '/readyz')).status).toBe(200);
    expect(server.output()).toMatch(/"worker":2,.*"msg":"a worker listens"/);
  });

  test('know each other’s keys at once, and refuse what the other revoked', async () => {
    const [one, other] = await linesOf(await start());
    for (let round = 0; round < 30; round += 1) {
      const [from, to] = round % 2 === 0 ? [one, other] : [other, one];
      const { id, secret } = (await from?.call('POST', '/v1/keys', terms(`m${round}`)))?.body ?? {};
      expect((await to?.verify(secret))?.body).toMatchObject({ valid: true });
      const revoked = await from?.call('POST', `/v1/keys/${id}/revoke`, {});
      expect(revoked?.status).toBe(200);
      const effectiveByMs = Date.parse(String(revoked?.body.effective_by));
      await until(async () => (await to?.verify(secret))?.body.valid === false);
      expect(Date.now()).toBeLessThanOrEqual(effectiveByMs);
      expect((await to?.verify(secret))?.body).toMatchObject({ valid: false, code: 'revoked' });
    }
  });

  test('stand in the metrics as one, and one that does not answer is named', async () => {
    const server = await start();
    const both = await linesOf(server);
    for (const line of both) for (let call = 0; call < 10; call += 1) await line.verify('x');
    const figures = await scrape(server.url);
    const of = (worker: number) =>
      figures.get(`keyswarm_worker_verifications_total{worker="${worker}"}`) ?? 0;
    expect(of(1)).toBeGreaterThanOrEqual(10);
    expect(of(2)).toBeGreaterThanOrEqual(10);
    expect(figures.get('keyswarm_verifications_total{verdict="malformed"}')).toBe(of(1) + of(2));
    const leaseAge = (worker: number) => figures.get(`keyswarm_worker_lease_age_seconds{worker="${worker}"}`);
    expect(figures.get('keyswarm_lease_age_seconds')).toBe(Math.max(leaseAge(1) ?? 0, leaseAge(2) ?? 0));
    process.kill(server.workerPid(2), 'SIGSTOP');
    const seen = figuresOf((await both[0]?.call('GET', '/metrics'))?.text ?? '');
    process.kill(server.workerPid(2), 'SIGCONT');
    expect(seen.get('keyswarm_workers')).toBe(2);
    expect(seen.get('keyswarm_workers_reporting')).toBe(1);
    expect(seen.get('keyswarm_worker_reporting{worker="2"}')).toBe(0);
    expect(seen.get('keyswarm_verifications_total{verdict="malformed"}')).toBe(of(1) + of(2));
    await until(async () => (await scrape(server.url)).get('keyswarm_workers_reporting') === 2);
  });
});

describe('a worker that is killed', () => {
  test('under load takes no acknowledged write along; the other serves, and it is back', async () => {
    const server = await start();
    const [watch] = await linesOf(server);
    const killed = server.workerPid(2);
    const secrets: unknown[] = [];
    let isOver = false;
    const writer = async (name: string): Promise<void> => {
      while (!isOver) {
        const line = new Line(server.url, server.rootKey);
        lines.push(line);
        try {
          while (!isOver) {
            const { status, body } = await line.call('POST', '/v1/keys', terms(name));
            if (status === 201) secrets.push(body.secret);
          }
        } catch {
          // The connection went with its worker; the next one leads to whoever is there.
        }
      }
    };
    const writers = Promise.all(Array.from({ length: 16 }, (_, at) => writer(`w${at}`)));
    await until(() => secrets.length >= 200);
    process.kill(killed, 'SIGKILL');
    const before = secrets.length;
    // Never broken, never refused: the worker at the other end of this line is not the one that died.
    for (let call = 0; call < 50; call += 1) expect((await watch?.verify('x'))?.status).toBe(200);
    await until(() => secrets.length >= before + 200);
    await until(async () => (await scrape(server.url)).get('keyswarm_workers_reporting') === 2);
    isOver = true;
    await writers;
    expect(server.workerPid(2)).not.toBe(killed);
    expect((await scrape(server.url)).get('keyswarm_worker_restarts_total')).toBe(1);
    for (const line of await linesOf(server)) {
      for (const secret of secrets) expect((await line.verify(secret)).body).toMatchObject({ valid: true });
    }
  });

  test('again and again with all others, while its database is gone, ends the whole with 1', async () => {
    const own = await startPostgres();
    try {
      const databaseUrl = await own.createDatabase();
      const server = spawn(['--port', '0', '--workers', '2'], variablesFor(databaseUrl));
      await server.said('"msg":"listening"');
      await own.halt('immediate');
      for (const worker of [1, 2]) process.kill(server.workerPid(worker), 'SIGKILL');
      expect(await server.ended).toBe(1);
      expect(server.output()).toContain('giving up');
    } finally {
      await own.stop();
    }
  });
});

describe('the end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('at %s is a drain of every worker, and 0', async (signal) => {
    const server = await start();
    const each = await linesOf(server);
    const pids = [1, 2].map((worker) => server.workerPid(worker));
    const answers = each.map((line, at) => line.call('POST', '/v1/keys', terms(`m${at}`)));
    await Promise.all(answers);
    server.child.kill(signal);
    expect(await server.ended).toBe(0);
    expect(server.output().match(/"msg":"stopped"/g)).toHaveLength(3);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('at a second signal is at once', async () => {
    const server = await start({ variables: { KEYSWARM_DRAIN_DELAY_MS: '600000' } });
    server.child.kill('SIGTERM');
    await server.said('"msg":"stopping"');
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(143);
  });

  test('of a supervisor that was killed is the end of its workers, which drain', async () => {
    const server = await start();
    const pids = [1, 2].map((worker) => server.workerPid(worker));
    server.child.kill('SIGKILL');
    await server.ended;
    expect(server.output().match(/"supervisor":"gone"/g)).toHaveLength(2);
    expect(server.output().match(/"msg":"stopped"/g)).toHaveLength(2);
    await until(() => !pids.some(isAlive));
    await listen(Number(new URL(server.url).port), false);
  });

  test('during the start shows no key and leaves nothing', async () => {
    const port = await freePort();
    const variables = variablesFor(await postgres.createDatabase(), { KEYSWARM_BOOTSTRAP_KEY: '' });
    const server = spawn(['--port', String(port), '--workers', '2'], variables);
    await server.said('a worker starts');
    const pid = server.workerPid(1);
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    expect(server.output()).not.toContain('KEYSWARM_KEY');
    expect(isAlive(pid)).toBe(false);
    await listen(port, false);
  });
});

describe('the port', () => {
  test.each([
    ['shares it', true],
    ['does not share it', false],
  ])('that another process has, which %s, stops the start before a key is shown', async (_, reusePort) => {
    const port = await listen(0, reusePort);
    const variables = variablesFor(await postgres.createDatabase(), { KEYSWARM_BOOTSTRAP_KEY: '' });
    const server = spawn(['--port', String(port), '--workers', '2'], variables);
    expect(await server.ended).toBe(2);
    expect(server.output()).toContain('another process listens');
    expect(server.output()).not.toContain('KEYSWARM_KEY');
  });

  test('belongs to one of several that start at once, and each of the others is refused', async () => {
    const port = String(await freePort());
    const databaseUrl = await postgres.createDatabase();
    const all = [1, 2, 3].map(() => spawn(['--port', port, '--workers', '2'], variablesFor(databaseUrl)));
    const codes = all.map((server) => server.ended);
    await Promise.any(all.map((server) => server.said('"msg":"listening"')));
    const winner = all.find((server) => server.output().includes('"msg":"listening"'));
    const others = codes.filter((_, at) => all[at] !== winner);
    expect(await Promise.all(others)).toEqual([2, 2]);
    const late = spawn(['--port', port], variablesFor(databaseUrl));
    expect(await late.ended).toBe(2);
    expect(winner?.child.exitCode).toBe(null);
  });
});

test('the embedded store takes one process, and says so', async () => {
  const server = spawn(['--workers', '2'], {});
  expect(await server.ended).toBe(2);
  expect(server.output()).toContain('workers');
  expect(server.output()).toContain('KEYSWARM_DATABASE_URL');
});

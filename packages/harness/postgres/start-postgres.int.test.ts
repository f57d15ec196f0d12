import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Postgres, startPostgres } from './index.ts';

async function ask(url: string, text: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query({ text, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a server of its own', () => {
  let postgres: Postgres;

  beforeAll(async () => {
    postgres = await startPostgres({ settings: { work_mem: '5MB' } });
  });
  afterAll(() => postgres.stop());

  test('answers on 127.0.0.1, syncs to disk and takes the settings it was given', async () => {
    expect(await ask(postgres.url, 'show work_mem')).toBe('5MB');
    expect(await ask(postgres.url, 'show fsync')).toBe('on');
    expect(await ask(postgres.url, 'show listen_addresses')).toBe('127.0.0.1');
  });

  test('lets nobody in without its password', async () => {
    const guess = new URL(postgres.url);
    guess.password = 'postgres';
    await expect(ask(guess.href, 'select 1')).rejects.toThrow(/password authentication failed/);
  });

  test('gives every test an empty database, and stands beside another', async () => {
    const other = await startPostgres({ own: true });
    const { root, pid } = traces(other);
    try {
      const urls = await Promise.all([
        postgres.createDatabase(),
        postgres.createDatabase('a "b"'),
        other.createDatabase('a "b"'),
      ]);
      expect(new Set(urls).size).toBe(3);
      for (const url of urls) {
        expect(await ask(url, 'select count(*)::int from pg_class where relnamespace = 2200')).toBe(0);
      }
    } finally {
      await other.stop('immediate');
    }
    expect(existsSync(root) || isAlive(pid)).toBe(false);
    expect(await ask(postgres.url, 'select 1')).toBe(1);
  });

  test('may be the one that KEYSWARM_DATABASE_URL names: databases are made and dropped, the server stays', async () => {
    vi.stubEnv('KEYSWARM_DATABASE_URL', postgres.url);
    try {
      const named = await startPostgres();
      expect([named.url, named.pid]).toEqual([postgres.url, undefined]);
      const url = await named.createDatabase();
      expect(await ask(url, 'select 1')).toBe(1);
      await expect(named.halt()).rejects.toThrow(/not ours to stop/);
      await named.stop();
      await expect(ask(url, 'select 1')).rejects.toThrow(/does not exist/);
      expect(await ask(postgres.url, 'select 1')).toBe(1);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('keeps what was committed through a crash, on the same port', async () => {
    const url = await postgres.createDatabase();
    await ask(url, 'create table kept as select 42 as answer');
    await postgres.halt('immediate');
    await expect(ask(url, 'select 1')).rejects.toThrow(/ECONNREFUSED/);
    await postgres.resume();
    expect(await ask(url, 'select answer from kept')).toBe(42);
  });
});

describe('nothing is left behind', () => {
  test('when a setting is refused: the error names it, and no server is there', async () => {
    await expect(startPostgres({ settings: { work_mem: 'much' } })).rejects.toThrow(/work_mem/);
  });

  test.concurrent.each(['SIGKILL', 'SIGTERM'] as const)(
    'when the process that started it dies by %s',
    async (signal) => {
      const entry = new URL('./index.ts', import.meta.url).href;
      const starter = spawn(
        process.execPath,
        [
          '--input-type=module',
          '--eval',
          `const { startPostgres } = await import(${JSON.stringify(entry)});
         const { pid, dataDir } = await startPostgres({ own: true });
         process.stdout.write(JSON.stringify({ pid, dataDir }));
         setInterval(() => {}, 1000);`,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const [line] = await Promise.race([once(starter.stdout, 'data'), once(starter, 'exit')]);
      const { root, pid } = traces(JSON.parse(String(line)));
      expect(isAlive(pid)).toBe(true);
      starter.kill(signal);
      await once(starter, 'exit');
      await expect.poll(() => existsSync(root) || isAlive(pid), { timeout: 15_000 }).toBe(false);
    },
  );
});

function traces({ pid, dataDir }: Pick<Postgres, 'pid' | 'dataDir'>): { root: string; pid: number } {
  if (pid === undefined || dataDir === undefined) throw new Error('it is not a server of our own');
  return { root: dirname(dataDir), pid };
}

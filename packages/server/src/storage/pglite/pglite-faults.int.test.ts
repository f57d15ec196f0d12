import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PGlite } from '@electric-sql/pglite';
import { Fault } from '@keyswarm/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemTimers } from '../../runtime/timers.ts';
import { failureOf, sql } from '../store-conformance.ts';
import { DurableNodeFs } from './durable-node-fs.ts';
import { durableSettings } from './engine-settings.ts';
import { PgliteEngine } from './pglite-engine.ts';
import { createPgliteStore, PgliteStore } from './pglite-store.ts';

/** What only the embedded engine can be put to: its folder, its process, its thread. */

const root = mkdtempSync(join(tmpdir(), 'keyswarm-pglite-'));
/** A folder after its first start, to begin from: a first start takes seconds. */
const begun = join(root, 'begun');
let dataDir: string;
let folders = 0;
const children: ChildProcess[] = [];
beforeAll(async () => {
  await (await createPgliteStore({ dataDir: begun })).close();
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  folders += 1;
  dataDir = join(root, `data-${folders}`);
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  rmSync(dataDir, { recursive: true, force: true });
});

function beginFromCopy(): void {
  cpSync(begun, dataDir, { recursive: true });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Another process with a store on the same folder, running `body` with `store` and `say`. */
function startProcess(body: string): { child: ChildProcess; lines: AsyncIterator<string> } {
  const entry = new URL('./pglite-store.ts', import.meta.url).href;
  const script = `
    const { createPgliteStore } = await import(${JSON.stringify(entry)});
    const say = (line) => process.stdout.write(line + '\\n');
    const store = await createPgliteStore({ dataDir: ${JSON.stringify(dataDir)} });
    const sql = (text) => ({ name: '', text });
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function nextLine(lines: AsyncIterator<string>): Promise<string> {
  const line = await lines.next();
  if (line.done) throw new Error('the process has ended');
  return line.value;
}

describe('a data folder', () => {
  test('keeps what was committed, over a close and over SIGKILL in the middle of writing', async () => {
    beginFromCopy();
    const { child, lines } = startProcess(`
      await store.transaction((tx) => tx.query(sql('create table kept (id integer primary key, half integer)')));
      for (let id = 0; ; id += 1) {
        await store.transaction(async (tx) => {
          await tx.query({ name: 'a', text: 'insert into kept values ($1, 1)' }, [id]);
          await tx.query({ name: 'b', text: 'update kept set half = 2 where id = $1' }, [id]);
        });
        say(String(id));
      }`);
    let acknowledged = -1;
    while (acknowledged < 60) acknowledged = Number(await nextLine(lines));
    await kill(child);
    // What was in the pipe was acknowledged too.
    for (let line = await lines.next(); !line.done; line = await lines.next())
      acknowledged = Number(line.value);

    for (let round = 0; round < 2; round += 1) {
      const store = await createPgliteStore({ dataDir });
      const rows = await store.query<{ id: number; half: number }>(
        sql('select id, half from kept order by id'),
      );
      await store.close();
      expect(rows.length).toBeGreaterThan(acknowledged);
      expect(rows.map(({ id }) => id)).toEqual(rows.map((_, index) => index));
      expect(rows.filter(({ half }) => half !== 2)).toEqual([]);
    }
  }, 60_000);

  test('is open in one process at a time; the other one is told which', async () => {
    beginFromCopy();
    const { child, lines } = startProcess(`say('open'); setInterval(() => {}, 1000);`);
    await nextLine(lines);
    const failure = await failureOf(createPgliteStore({ dataDir }));
    expect(failure).toMatchObject({ code: 'store_unavailable' });
    expect(String(failure)).toContain(`process ${child.pid} on `);
    await kill(child);
    // A lock that outlived its process would have to be judged by hand.
    const store = await createPgliteStore({ dataDir });
    const again = await failureOf(createPgliteStore({ dataDir }));
    expect(String(again)).toContain(`process ${process.pid} on `);
    expect(await store.query(sql('select 1 as one'))).toEqual([{ one: 1 }]);
    await store.close();
  }, 60_000);

  test('whose first start was cut short is begun anew, and syncs to disk like any other', async () => {
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    writeFileSync(join(dataDir, 'initializing'), '');
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '18\n');
    const store = await createPgliteStore({ dataDir });
    expect(await store.query(sql('select 1 as one'))).toEqual([{ one: 1 }]);
    expect(existsSync(join(dataDir, 'initializing'))).toBe(false);
    const settings = sql(`select name, setting from pg_settings
      where name in ('fsync', 'wal_sync_method', 'synchronous_commit', 'full_page_writes') order by name`);
    expect(await store.query(settings)).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'full_page_writes', setting: 'on' },
      { name: 'synchronous_commit', setting: 'on' },
      { name: 'wal_sync_method', setting: 'fsync' },
    ]);
    await store.close();
  }, 60_000);

  test('that is damaged is an error that says so, is not overwritten, and is let go of', async () => {
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '18\n');
    await expect(createPgliteStore({ dataDir })).rejects.toThrow(/can not be opened/);
    await expect(createPgliteStore({ dataDir })).rejects.toThrow(/can not be opened/);
    expect(existsSync(join(dataDir, 'postgres', 'PG_VERSION'))).toBe(true);
  }, 60_000);
});

describe('durability', () => {
  test('every commit syncs a real file before it is answered', async () => {
    beginFromCopy();
    const engine = await PGlite.create({
      fs: new DurableNodeFs(join(dataDir, 'postgres')),
      startParams: [...durableSettings],
    });
    const operations: { fsync?: (stream: { nfd: number }) => number } = engine.Module.NODEFS.stream_ops;
    const real = operations.fsync;
    let synced = 0;
    operations.fsync = (stream) => {
      synced += 1;
      return real?.(stream) ?? -1;
    };
    await engine.exec('create table t (id integer)');
    for (let round = 1; round <= 5; round += 1) {
      synced = 0;
      await engine.exec('insert into t values (1)');
      expect(synced).toBeGreaterThan(0);
    }
    await engine.close();
  }, 60_000);
});

test('upkeep clears what was replaced and counts what is there', async () => {
  beginFromCopy();
  let runUpkeep: (() => void) | undefined;
  const failures: unknown[] = [];
  const store = await createPgliteStore({
    dataDir,
    timers: {
      ...systemTimers,
      every: (periodMs, run) => {
        runUpkeep = run;
        return systemTimers.every(periodMs, run);
      },
    },
    onUpkeepFailure: (error) => failures.push(error),
  });
  await store.transaction((tx) =>
    tx.query(
      sql(
        'create table churned (id integer, n integer); insert into churned select i, 0 from generate_series(1, 1000) i',
      ),
    ),
  );
  for (let round = 0; round < 3; round += 1) {
    await store.transaction((tx) => tx.query(sql('update churned set n = n + 1')));
  }
  const facts = () =>
    store.query(
      sql(`select reltuples as rows, relallvisible > 0 as cleared from pg_class where relname = 'churned'`),
    );
  expect(await facts()).toEqual([{ rows: -1, cleared: false }]);
  runUpkeep?.();
  await expect.poll(facts, { timeout: 30_000 }).toEqual([{ rows: 1000, cleared: true }]);
  await store.close();
  expect(failures.filter((it) => !(it instanceof Fault && it.code === 'shutting_down'))).toEqual([]);
}, 60_000);

describe('the thread of the engine', () => {
  test('does not hold up this one', async () => {
    beginFromCopy();
    const store = await createPgliteStore({ dataDir });
    const slow = store.query(sql('select count(*) as n from generate_series(1, 1000000)'));
    let turns = 0;
    let done = false;
    void slow.finally(() => {
      done = true;
    });
    while (!done) {
      turns += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await slow).toEqual([{ n: 1_000_000 }]);
    expect(turns).toBeGreaterThan(100);
    await store.close();
  }, 60_000);

  test('when it dies, what was asked is unavailable, and the next one is served by a new thread', async () => {
    beginFromCopy();
    const engine = new PgliteEngine(dataDir, systemTimers);
    await engine.start();
    const store = new PgliteStore(engine, {});
    await store.transaction((tx) => tx.query(sql('create table kept as select 42 as answer')));
    const deleted = Promise.withResolvers<void>();
    const asked = failureOf(
      store.transaction(async (tx) => {
        await tx.query(sql('delete from kept'));
        deleted.resolve();
        await tx.query(sql('select pg_sleep(20)'));
      }),
    );
    await deleted.promise;
    await engine.kill();
    expect(await asked).toMatchObject({ code: 'store_unavailable' });
    expect(await store.query(sql('select answer from kept'))).toEqual([{ answer: 42 }]);
    await store.close();
  }, 60_000);
});

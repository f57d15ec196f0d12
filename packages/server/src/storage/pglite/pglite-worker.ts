import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { DurableNodeFs } from './durable-node-fs.ts';
import { durableSettings, volatileSettings } from './engine-settings.ts';
import type { FromWorker, PgliteWorkerData, ToWorker } from './worker-protocol.ts';

/*
 * The thread in which the embedded PostgreSQL runs, so that a statement or a checkpoint never holds up a
 * verification. It takes messages of PostgreSQL's protocol and gives back what the engine answers; it knows no
 * statement, no type and no transaction of ours.
 *
 * The engine has one session. A link that ended may have left a transaction open in it, or prepared statements:
 * before the first message of a new link the session is wiped.
 *
 * Durability: a COMMIT is answered after its WAL was written and fsynced (`durable-node-fs.ts`). The very first
 * start writes a whole cluster; should the process die in the middle of that, the mark `initializing` is still
 * there and the next start begins anew. The mark is removed when everything is on disk, before the first
 * statement is taken, so what is thrown away never held anything.
 */

const port = parentPort;
if (port === null) throw new TypeError('this file is the entry of a worker thread');
const { dataDir } = workerData as PgliteWorkerData;

const post = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

let linkNow = 0;

try {
  const engine = await openEngine(dataDir);
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'close') return void close(engine);
    answer(engine, message.link, message.bytes).catch((error: unknown) => {
      // An engine that failed to answer is in no state to be asked again: the thread ends, and a new one recovers.
      process.nextTick(() => {
        throw error;
      });
    });
  });
  post({ kind: 'ready' });
} catch (error) {
  post({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
}

async function openEngine(folder: string | null): Promise<PGlite> {
  if (folder === null) return PGlite.create({ startParams: [...volatileSettings] });
  const cluster = join(folder, 'postgres');
  const mark = join(folder, 'initializing');
  const isNew = existsSync(mark) || !existsSync(join(cluster, 'PG_VERSION'));
  if (isNew) {
    writeFileSync(mark, '');
    syncPath(folder);
    rmSync(cluster, { recursive: true, force: true });
    mkdirSync(cluster, { mode: 0o700 });
  }
  const engine = await PGlite.create({
    fs: new DurableNodeFs(cluster),
    startParams: [...durableSettings],
  });
  if (isNew) {
    syncTree(cluster);
    syncPath(folder);
    rmSync(mark);
    syncPath(folder);
  }
  return engine;
}

async function answer(engine: PGlite, link: number, bytes: Uint8Array): Promise<void> {
  if (link !== linkNow) {
    if (linkNow !== 0) {
      await exchange(engine, simpleQuery('rollback'));
      await exchange(engine, simpleQuery('discard all'));
    }
    linkNow = link;
  }
  const reply = await exchange(engine, bytes);
  if (!endsReady(reply)) throw new Error('the engine stopped in the middle of an answer');
  post({ kind: 'frames', link, bytes: reply }, [reply.buffer]);
}

async function exchange(engine: PGlite, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  await engine.execProtocolRawStream(bytes, {
    syncToFs: false,
    // What is handed in is a window on the engine's memory: it is copied before it changes.
    onRawData: (chunk) => chunks.push(chunk.slice()),
  });
  const reply = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    reply.set(chunk, at);
    at += chunk.length;
  }
  return reply;
}

/** ReadyForQuery: `Z`, a length of 5, the state of the transaction. */
function endsReady(reply: Uint8Array): boolean {
  const at = reply.length - 6;
  return at >= 0 && reply[at] === 0x5a && reply[at + 4] === 5;
}

function simpleQuery(text: string): Uint8Array {
  const body = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(5);
  head.write('Q');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

async function close(engine: PGlite): Promise<void> {
  await engine.close();
  post({ kind: 'closed' });
  port?.close();
}

function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    syncPath(join(entry.parentPath, entry.name));
  }
  syncPath(folder);
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '@keyswarm/core';

/*
 * One process at a time may open a data folder: two engines on the same files destroy them. A file with a pid in
 * it can't promise that. After a SIGKILL it is stale, the pid may since belong to a stranger, two starters that
 * both find it stale both take it over, and a container sees other pids than its host.
 *
 * So the kernel holds the lock: a lock of the whole machine on the file `lock`, which ends with its process
 * however that ends. Node has no call for it, but its SQLite has: an exclusive transaction on an empty database
 * is exactly this lock on every platform, and nothing is ever written to that file. The pid stands in a file
 * beside it, only to be named in the message.
 */

export interface DataDirLock {
  release(): void;
}

/** SQLITE_BUSY: somebody holds it. */
const busy = 5;

export function lockDataDir(dataDir: string): DataDirLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = new DatabaseSync(join(dataDir, 'lock'));
  const holderPath = join(dataDir, 'lock-holder.json');
  try {
    file.exec('pragma busy_timeout = 0');
    file.exec('begin exclusive');
  } catch (error) {
    file.close();
    throw isBusy(error) ? inUse(dataDir, holderPath) : error;
  }
  writeFileSync(holderPath, JSON.stringify({ pid: process.pid, host: hostname() }), { mode: 0o600 });
  return { release: () => file.close() };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === busy;
}

function inUse(dataDir: string, holderPath: string): Fault {
  return new Fault('store_unavailable', {
    detail: `The data folder ${dataDir} is in use by ${readHolder(holderPath)}. One process at a time can open it.`,
  });
}

function readHolder(holderPath: string): string {
  try {
    const holder: unknown = JSON.parse(readFileSync(holderPath, 'utf8'));
    if (typeof holder === 'object' && holder !== null && 'pid' in holder && 'host' in holder) {
      return `process ${holder.pid} on ${holder.host}`;
    }
  } catch {
    // It has the lock and is about to write the file.
  }
  return 'another process';
}

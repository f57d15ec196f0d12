import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type SnapshotReading, writeSnapshot } from '../wire/snapshot.ts';

/*
 * What a verifier knows, kept on disk, so that one that starts anew asks for what has changed since instead of for
 * everything. It is a convenience and proves nothing: what is loaded from it has no lease until the feed has been
 * followed up to heads that were read since.
 *
 * The file holds fingerprints, which open nothing, and who owns what; only this user may read it. It is as good as
 * whoever may write it: a checksum is no signature, and a file that was forged whole is believed, as the program
 * itself would be.
 *
 * It is written aside and renamed when every byte is on the disk, so that the name leads to a whole snapshot or to
 * the one before. A part left behind by a process that was killed is removed by the next one; two processes that
 * write at once each write a file of their own, and what is renamed unfinished has no end and is not loaded.
 */

export interface SavedSnapshot {
  readonly bytes: number;
}

const writing = new Set<string>();
const ownerOnly = 0o600;

/**
 * Replaces what stands at `path`. `reading.identity` says whose facts they are: the relay's address, workspace,
 * keyspaces. Rejects with what the reading or the disk throw, or with the signal's reason; then the file before
 * stays. Rejects at once while this process is writing to the same path.
 */
export async function saveSnapshot(
  path: string,
  reading: SnapshotReading & { readonly identity: string },
  signal: AbortSignal = neverAborted,
): Promise<SavedSnapshot> {
  const name = resolve(path);
  if (writing.has(name)) throw new Error('a snapshot is being written to this file already');
  writing.add(name);
  const part = `${name}.part`;
  try {
    await rm(part, { force: true });
    const file = await open(part, 'wx', ownerOnly);
    const bytes = await writeAll(file, reading, signal);
    await rename(part, name);
    await syncDirectory(dirname(name));
    return { bytes };
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    writing.delete(name);
  }
}

async function writeAll(file: FileHandle, reading: SnapshotReading, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  try {
    // Of what age the lease is now says nothing to whoever reads it later.
    for await (const chunk of writeSnapshot({ ...reading, ageMs: undefined }, signal)) {
      await file.writeFile(chunk);
      bytes += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return bytes;
}

/** A rename is on the disk only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const neverAborted = new AbortController().signal;

import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Secret } from '@keyswarm/core';
import type { CredentialKeeping } from '@keyswarm/sdk';
import { InputError } from '../input-error.ts';
import { readSecretFile } from '../io/read-secret.ts';

/*
 * A secret in a file, of which a reader sees the old one or the new one and never a part, and which is there after a
 * power cut once it was written: a new file beside it, flushed, put in its place by one rename, the folder flushed.
 */

const newFile = 'wx';

/** The same file through a link, so that the link stays one. */
export function writeSecretFile(path: string, text: string): void {
  const target = realPath(path);
  const folder = dirname(target);
  const fresh = join(folder, `.${basename(target)}.${process.pid}.new`);
  try {
    const file = openSync(fresh, newFile, 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, target);
  } catch (error) {
    removeIfThere(fresh);
    throw error;
  }
  flushFolder(folder);
}

/** The credential in a file, and beside it the journal of a renewal under way. */
export function keepInFile(path: string): CredentialKeeping {
  const journal = `${path}.renewing`;
  return {
    load: async () => readSecretFile(path, '--file'),
    store: async (secret: Secret) => writeSecretFile(path, `${secret.reveal()}\n`),
    journal: {
      async load() {
        try {
          const [key] = readFileSync(journal, 'utf8').split('\n');
          return key === '' ? undefined : key;
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw new InputError(
            '--file',
            `${journal} can not be read`,
            'a file of a renewal that was cut off',
          );
        }
      },
      async store(idempotencyKey) {
        if (idempotencyKey !== undefined) return writeSecretFile(journal, `${idempotencyKey}\n`);
        removeIfThere(journal);
        flushFolder(dirname(journal));
      },
    },
  };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isMissing(error)) return path;
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Without it the rename itself may be lost with the power. */
function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

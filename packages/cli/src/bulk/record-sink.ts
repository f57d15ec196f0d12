import { type FileHandle, open } from 'node:fs/promises';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';

/** Where the results of bulk work go, one record at a time and in order. */
export interface RecordSink {
  write(record: object): Promise<void>;
  close(): Promise<void>;
  /** The file they went to, for the last line that is told. */
  readonly path?: string;
}

/** To stdout: JSON lines under `--json`, else one line as `human` makes it. */
export function sinkToTerminal({ json, terminal }: Context, human: (record: object) => string): RecordSink {
  return {
    write: (record) => terminal.print(json ? JSON.stringify(record) : human(record)),
    close: async () => {},
  };
}

/**
 * To a file that did not exist before and that only its owner can read. It is opened before anything is asked
 * of the server, because a secret that can't be written down is lost, and flushed to disk at the end: it may
 * be the only place where these secrets are.
 */
export async function sinkToFile(path: string, field: string): Promise<RecordSink> {
  const file = await openNew(path, field);
  return {
    path,
    async write(record) {
      await file.write(`${JSON.stringify(record)}\n`);
    },
    async close() {
      await file.sync();
      await file.close();
    },
  };
}

async function openNew(path: string, field: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unwritable';
    throw new InputError(
      field,
      `${path} can not be made (${why})`,
      'the path of a file that does not exist yet',
    );
  }
}

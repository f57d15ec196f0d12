import { constants } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What belongs to the other process, and not to the data. */
const own = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'standby.signal',
  'recovery.signal',
  'backup_label',
]);

/**
 * The data of one server for another. Of one that is live the log of changes stays behind, since it is streamed; files
 * that go away meanwhile may do so, as the log tells of it.
 */
export async function copyDataDir(
  source: string,
  target: string,
  { isLive }: { readonly isLive: boolean },
): Promise<void> {
  for (const entry of await readdir(source, { withFileTypes: true })) {
    if (own.has(entry.name)) continue;
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) {
      await mkdir(to, { recursive: true, mode: 0o700 });
      if (isLive && entry.name === 'pg_wal') await mkdir(join(to, 'archive_status'), { mode: 0o700 });
      else await copyDataDir(from, to, { isLive });
    } else if (entry.isFile()) {
      await copyFile(from, to, constants.COPYFILE_FICLONE).catch((error: NodeJS.ErrnoException) => {
        if (!isLive || error.code !== 'ENOENT') throw error;
      });
    }
  }
}

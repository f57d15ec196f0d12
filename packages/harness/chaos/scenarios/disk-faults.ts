import { chownSync, readdirSync, statSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failCalls, mountSmallDisk, noFailingCalls, noSmallDisks } from '../../faults/index.ts';
import type { Run, Scenario } from '../run/scenario.ts';
import { everybody } from './parts.ts';

/** The disk of the database fails to flush, and then is full. What was acknowledged has to be there all the same. */
export const diskFaults: Scenario = {
  name: 'disk-faults',
  about:
    'The database is told EIO when it flushes, in a burst of writes, and restarts; then its disk is full, and is freed.',
  missing: () => noFailingCalls() ?? noSmallDisks(),
  rates: { writes: 40, verifies: 25 },
  // One segment of the log at a time, so that a disk that is full is met soon.
  stage: {
    settings: { min_wal_size: '32MB', max_wal_size: '48MB', wal_recycle: 'off', wal_init_zero: 'off' },
  },
  sometimes: [
    'a flush was answered with EIO',
    'a write was under way whose outcome nobody was told',
    'the disk was full',
  ],
  async play(run) {
    await failingFlush(run);
    await fullDisk(run);
  },
};

async function failingFlush(run: Run): Promise<void> {
  const { database } = run.stage;
  const since = run.history.size;
  await run.fault(
    { name: 'EIO at every flush', affects: everybody(run), recoverWithinMs: 30_000 },
    async () => {
      const { pid } = database.primary;
      if (pid === undefined) throw new Error('the database does not run');
      const fault = await failCalls(pid, { calls: ['fsync', 'fdatasync'], error: 'EIO' });
      try {
        await run.seconds(run.isShort ? 2 : 5);
        if (fault.injected() > 0) run.reached('a flush was answered with EIO');
        run.note(`${fault.injected()} flushes failed`);
      } finally {
        await fault.heal();
      }
      await restart(run);
    },
  );
  run.reachedIf(
    'a write was under way whose outcome nobody was told',
    since,
    ({ kind, outcome }) => kind !== 'verify' && outcome === 'unknown',
  );
}

/** Its folder is moved to a small disk while nothing is asked of it; that is the operator's doing and no fault. */
async function fullDisk(run: Run): Promise<void> {
  const { database, cluster } = run.stage;
  const { dataDir } = database.primary;
  const { uid, gid } = statSync(dataDir);
  await run.fault(
    { name: 'the disk is full', affects: everybody(run), recoverWithinMs: 30_000 },
    async () => {
      await database.primary.stop('fast');
      const aside = `${dataDir}-aside`;
      await cp(dataDir, aside, { recursive: true });
      const disk = mountSmallDisk(dataDir, {
        bytes: smallDiskBytes,
        leftovers: cluster.leftovers,
        owner: { uid, gid },
      });
      run.later(async () => {
        await database.primary.stop('immediate');
        disk.unmount();
      });
      await cp(aside, dataDir, { recursive: true });
      await rm(aside, { recursive: true });
      chownAll(dataDir, uid, gid);
      await database.restartPrimary();
      await run.seconds(2);
      disk.fill();
      const isFull = disk.freeBytes() < 64 * 1024;
      if (isFull) run.reached('the disk was full');
      await run.seconds(run.isShort ? 3 : 10);
      disk.free();
      await restart(run);
    },
  );
}

const smallDiskBytes = 256 * 1024 * 1024;

function chownAll(path: string, uid: number, gid: number): void {
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true }))
    chownSync(join(entry.parentPath, entry.name), uid, gid);
}

/** As an operator would: what has panicked may have come back by itself, or not. */
async function restart(run: Run): Promise<void> {
  await run.stage.database.primary.stop('immediate');
  await run.stage.database.restartPrimary();
}

import { recoveryPollMs } from '../limits.ts';
import type { Clerk } from '../load/clerk.ts';
import type { KeyBook } from '../load/key-book.ts';
import type { Workload } from '../load/workload.ts';
import { keyspaces } from '../stage/stage.ts';

export interface ProbePorts {
  readonly workload: Workload;
  readonly book: KeyBook;
  readonly clerk: Clerk;
  readonly servers: number;
  /** Of a verifier, by its name, as it says itself. */
  readonly leaseAgeMs: (verifier: string) => Promise<number>;
}

/**
 * Resolves when every node accepts a good key of every keyspace and shard, and every server has acknowledged a write; false when that has not
 * come to be in time. The writes are asked for from the start: a server that hangs is not back.
 */
export async function everythingServes(ports: ProbePorts, withinMs: number): Promise<boolean> {
  const beganMs = performance.now();
  const untilMs = beganMs + withinMs;
  const nodes = ports.workload.presenters.flatMap((presenter) =>
    Object.values(keyspaces).map(async ({ name }) => {
      // A lease from before would let it look well for a while: it has to have proved itself fresh since.
      const isFresh = await until(untilMs, async () => {
        const ageMs = await ports.leaseAgeMs(presenter.name).catch(() => Number.POSITIVE_INFINITY);
        return ageMs < performance.now() - beganMs;
      });
      if (!isFresh) return false;
      for (const key of ports.book.spread(name)) {
        const isBack = await until(untilMs, async () => {
          // What hangs counts as not there, and does not hold up those who ask.
          const asked = presenter.present(key, key.secrets.length);
          const said = await Promise.race([asked, pause(1_000)]);
          return typeof said === 'object' && said.code === 'valid';
        });
        if (!isBack) return false;
      }
      return true;
    }),
  );
  const writes = Array.from({ length: ports.servers }, () =>
    until(untilMs, async () => {
      const issued = ports.clerk.issue({ keyspace: keyspaces.strict.name, ttlSeconds: 3_600 });
      return (await Promise.race([issued, pause(2_000)])) !== undefined;
    }),
  );
  return (await Promise.all([...nodes, ...writes])).every((isBack) => isBack);
}

async function until(untilMs: number, isSo: () => Promise<boolean>): Promise<boolean> {
  while (performance.now() < untilMs) {
    if (await isSo()) return true;
    await pause(recoveryPollMs);
  }
  return false;
}

async function pause(ms: number): Promise<undefined> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return undefined;
}

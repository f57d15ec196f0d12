import { monotonicMs } from '../history/clock.ts';
import type { Scenario } from '../run/scenario.ts';
import { acceptedKey, everybody, isWrite, nodeAt, steadyFailures } from './parts.ts';

/** How long commits have waited for the standby when the primary dies, seconds. */
const unheardSeconds = 0.3;

/**
 * The primary dies in the middle of a burst and its synchronous standby takes over. What it wrote last reached nobody: its
 * commits were still waiting, and whoever was told of one of them all the same has lost it.
 */
export const primaryLost: Scenario = {
  name: 'primary-lost',
  about:
    'The primary is killed in the middle of a burst, with commits that the standby has not heard of; it is fenced, and the standby promoted.',
  stage: { standby: true, nodes: 3 },
  rates: { writes: 50, verifies: 40 },
  sometimes: [
    'a write waited for the standby when it died',
    'the standby was promoted',
    'strict keys were answered 503 stale until it was over',
    'a key that was acknowledged just before was refused just after',
  ],
  async play(run) {
    const { database } = run.stage;
    for (let turn = 0; turn < (run.isShort ? 1 : Math.max(1, Math.round(2 * run.length))); turn += 1) {
      const since = run.history.size;
      let diedMs = Number.NaN;
      const key = await acceptedKey(run);
      await run.fault({ name: 'the primary is lost', affects: everybody(run) }, async () => {
        const isAcked = await run.clerk.revoke(key);
        const next = database.nextFailover();
        database.replication?.set({ hold: 'both' });
        await run.seconds(unheardSeconds);
        await database.primary.stop('immediate');
        diedMs = monotonicMs();
        const { suspectedAtMs, fencedAtMs, promotedAtMs } = await next;
        const noticed =
          suspectedAtMs === undefined
            ? ''
            : `, ${Math.round(promotedAtMs - suspectedAtMs)} ms after it was missed`;
        run.note(
          `promoted ${Math.round(promotedAtMs - fencedAtMs)} ms after the old primary was fenced${noticed}`,
        );
        run.reached('the standby was promoted');
        if (!isAcked) return;
        const presenter = run.workload.presenters.find(({ name }) => name === nodeAt(run, 0).name);
        const said = await presenter?.present(key, 1, true);
        if (said?.code === 'revoked')
          run.reached('a key that was acknowledged just before was refused just after');
      });
      const operations = run.history.operations();
      if (operations.some((one) => isWrite(one) && one.invokedMs < diedMs && one.settledMs > diedMs))
        run.reached('a write waited for the standby when it died');
      run.reachedIf(
        'strict keys were answered 503 stale until it was over',
        since,
        ({ keyspace, code }) => keyspace === 'strict' && code === 'stale',
      );
      const failed = steadyFailures(run, since);
      run.note(`${failed.length} verifications failed under the lease of 30 s`);
      if (failed.length > 0)
        run.violate(
          `${failed.length} verifications under the usual lease failed: ${failed[0]?.status} ${failed[0]?.code}`,
        );
      await run.fault({ name: 'the old primary comes back as a standby', affects: everybody(run) }, () =>
        database.rejoin(),
      );
    }
  },
};

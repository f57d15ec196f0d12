import type { Scenario } from '../run/scenario.ts';
import { keyspaces } from '../stage/stage.ts';
import { acceptedKey, nodeAt } from './parts.ts';

/** A verifier stands still (SIGSTOP, a virtual machine that is moved) for parts and multiples of a lease. */
export const verifierPause: Scenario = {
  name: 'verifier-pause',
  about: 'A verifier stands still for half a lease, two and ten, and a key is revoked while it does.',
  sometimes: [
    'a key was revoked while the verifier stood still',
    'it was asked before it stood still and answered after',
    'after more than a lease its first answer was 503 stale',
  ],
  async play(run) {
    for (const [at, leases] of (run.isShort ? [2] : [0.5, 2, 10]).entries()) {
      const node = nodeAt(run, at % run.stage.nodes.length);
      const key = await acceptedKey(run);
      const since = run.history.size;
      const pausedMs = leases * keyspaces.strict.leaseSeconds * 1000;
      let stoppedAt = 0;
      await run.fault(
        { name: `${node.name} stands still for ${leases} L`, affects: [node.name] },
        async () => {
          node.member.signal('SIGSTOP');
          stoppedAt = run.history.size;
          try {
            if (await run.workload.revokeWatched(key))
              run.reached('a key was revoked while the verifier stood still');
            await run.seconds(pausedMs / 1000);
          } finally {
            node.member.signal('SIGCONT');
          }
        },
      );
      const operations = run.history.operations();
      const woken = operations
        .slice(stoppedAt)
        .filter(({ at: place, status }) => place === node.name && status > 0);
      if (leases > 1 && woken.some(({ code }) => code === 'stale'))
        run.reached('after more than a lease its first answer was 503 stale');
      run.reachedIf(
        'it was asked before it stood still and answered after',
        since,
        (one) => one.at === node.name && one.settledMs - one.invokedMs > pausedMs * 0.8 && one.status > 0,
      );
    }
  },
};

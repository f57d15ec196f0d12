import type { Head } from '../storage/statements/append-feed.ts';
import { findOutcome } from '../storage/statements/find-outcome.ts';
import type { BatchRunner } from './batch-runner.ts';

/**
 * Did the transaction whose COMMIT was cut off take place? The hash of its last audit record covers all of it
 * and all before it, so finding that hash in its place is proof. A batch that changed nothing left no record:
 * it counts as not committed, because running it again is harmless.
 */
export async function findCommitted(
  runner: BatchRunner,
  shard: number,
  head: Head | null,
): Promise<'yes' | 'no' | 'unreachable'> {
  if (head === null) return 'no';
  const { clock, timers, limits } = runner;
  const endMs = clock.monotonicMs() + limits.outcomeMsMax;
  for (;;) {
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0) return 'unreachable';
    const hash = await lookOnce(runner, shard, head.seq, leftMs);
    if (hash !== 'unknown') return hash === head.auditHashHex ? 'yes' : 'no';
    await timers.sleep(Math.min(limits.outcomePauseMs, leftMs));
  }
}

async function lookOnce(
  runner: BatchRunner,
  shard: number,
  seq: number,
  leftMs: number,
): Promise<string | undefined | 'unknown'> {
  const deadline = new AbortController();
  const cancel = runner.timers.after(leftMs, () => deadline.abort(new Error('the look took too long')));
  try {
    return await runner.store.transaction((tx) => findOutcome(tx, shard, seq), { signal: deadline.signal });
  } catch {
    // Whatever went wrong, nothing was learnt: the deadline bounds how often this is tried.
    return 'unknown';
  } finally {
    cancel();
  }
}

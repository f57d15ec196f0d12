import type { Api, IssuedKey } from '../acceptance/api.ts';
import { quantile } from './open-load.ts';
import type { VerifyTarget } from './verify-connection.ts';
import { type Watched, watchRevocation } from './watch-revocation.ts';

export interface RevocationRun {
  readonly api: Api;
  readonly targets: readonly VerifyTarget[];
  readonly keys: readonly IssuedKey[];
  readonly keyspace: string;
  /** Revocations a second, open loop: the next is due whatever became of the last. */
  readonly perSecond: number;
  readonly pauseMs: number;
  /** T of the keyspace, ms. */
  readonly boundMs: number;
  /** Watched for so long after the ack, at least. */
  readonly watchMs: number;
  readonly refusalsEnough: number;
  /** Adds `?wait=effective` to the revoke. */
  readonly waits?: boolean;
}

export interface RevocationResult {
  readonly acked: number;
  /** The revoke got no 200. */
  readonly failed: number;
  /** From the ack to the last acceptance at any verifier, ms, ascending, one a revocation; 0: none after the ack. */
  readonly windowsMs: readonly number[];
  /** Acceptances that were sent for later than ack + T. */
  readonly violations: number;
  /** Received later than ack + T, though sent for before: the time between decision and reply. */
  readonly late: number;
  /** Refused as revoked, and accepted after that. */
  readonly undone: number;
  readonly unavailable: number;
  /** What the first refusals said. */
  readonly refusals: Readonly<Record<string, number>>;
  /** With `waits`: from the ack, which then says that it is effective, to the last acceptance. */
  readonly revokeMs: readonly number[];
}

/** Revokes keys one after another at a fixed rate while every verifier is asked for each of them. */
export async function revokeAll(run: RevocationRun): Promise<RevocationResult> {
  const began = performance.now();
  const revokeMs: number[] = [];
  let failed = 0;
  const watched = await Promise.all(
    run.keys.map(async (key, at) => {
      await until(began + (at / run.perSecond) * 1000);
      const revoke = async () => {
        const sentMs = performance.now();
        const query = run.waits === true ? '?wait=effective' : '';
        const reply = await run.api.call('POST', `/v1/keys/${key.id}/revoke${query}`, { reason: 'proof' });
        if (reply.status !== 200) throw new Error(`revoke: ${reply.status} ${JSON.stringify(reply.body)}`);
        revokeMs.push(performance.now() - sentMs);
      };
      return watchRevocation({ ...run, key: key.secret, revoke }).catch(() => {
        failed += 1;
        return undefined;
      });
    }),
  );
  const acked = watched.filter((one): one is Watched => one !== undefined);
  revokeMs.sort((a, b) => a - b);
  return { ...summaryOf(acked, run.boundMs), acked: acked.length, failed, revokeMs };
}

function summaryOf(watched: readonly Watched[], boundMs: number) {
  const refusals: Record<string, number> = {};
  const counts = { violations: 0, late: 0, undone: 0, unavailable: 0 };
  const windowsMs: number[] = [];
  for (const { ackAtMs, seen } of watched) {
    let windowMs = 0;
    for (const one of seen) {
      windowMs = Math.max(windowMs, one.lastAcceptedMs - ackAtMs);
      if (one.lastAcceptedSentMs > ackAtMs + boundMs) counts.violations += 1;
      else if (one.lastAcceptedMs > ackAtMs + boundMs) counts.late += 1;
      counts.undone += one.undone;
      counts.unavailable += one.unavailable;
      if (one.firstRefusal !== '') refusals[one.firstRefusal] = (refusals[one.firstRefusal] ?? 0) + 1;
    }
    windowsMs.push(windowMs);
  }
  windowsMs.sort((a, b) => a - b);
  return { ...counts, windowsMs, refusals };
}

/** `p50 3 ms, p99 12 ms, max 20 ms` */
export function spread(ascendingMs: readonly number[]): string {
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(ascendingMs, share));
  const max = ascendingMs.at(-1) ?? Number.NaN;
  return `p50 ${round(p50)} ms, p99 ${round(p99)} ms, max ${round(max)} ms`;
}

function round(ms: number | undefined): string {
  return ms === undefined || Number.isNaN(ms) ? '–' : ms.toFixed(1);
}

async function until(atMs: number): Promise<void> {
  const left = atMs - performance.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}

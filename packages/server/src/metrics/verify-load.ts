import type { VerifySample } from '@keyswarm/core';

/** What a process has counted of its verifications so far. */
export interface VerifyReading {
  /** Answered, by how long it took: one count for each bound, and one for what lies above them all. */
  readonly buckets: Float64Array;
  /** Upper bounds of the buckets, seconds. */
  readonly boundsSeconds: Float64Array;
  /** By a fault of the server, or turned away for want of room. */
  readonly failed: number;
  /** Of the event loop, ms: with something to do, and waiting for something. */
  readonly loop: { readonly activeMs: number; readonly idleMs: number };
}

/** What came between two readings. The p99 is the bound of the bucket that it lies in: never less than it was. */
export function sampleBetween(before: VerifyReading | undefined, now: VerifyReading): VerifySample {
  const counts = now.buckets.map((count, at) => count - (before?.buckets[at] ?? 0));
  const answered = counts.reduce((sum, count) => sum + count, 0);
  const failed = now.failed - (before?.failed ?? 0);
  const busyShare = busyBetween(before?.loop, now.loop);
  let seen = 0;
  for (const [at, count] of counts.entries()) {
    seen += count;
    if (answered > 0 && seen >= 0.99 * answered) {
      const p99Ms = (now.boundsSeconds[at] ?? Number.POSITIVE_INFINITY) * 1000;
      return { answered, failed, p99Ms, busyShare };
    }
  }
  return { answered, failed, p99Ms: 0, busyShare };
}

function busyBetween(before: VerifyReading['loop'] | undefined, now: VerifyReading['loop']): number {
  const activeMs = now.activeMs - (before?.activeMs ?? 0);
  const wholeMs = activeMs + now.idleMs - (before?.idleMs ?? 0);
  return wholeMs > 0 ? activeMs / wholeMs : 0;
}

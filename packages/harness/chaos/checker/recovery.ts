import type { FaultMark, Operation } from '../history/operation.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/* I8. Once a fault is over, everything is served again within a bound: every verifier of every keyspace, and writes. */

export function checkRecovery(faults: readonly FaultMark[]): InvariantVerdict {
  const finding = new Finding('I8');
  let worstMs = 0;
  for (const fault of faults) {
    finding.check();
    const tookMs = fault.recoveredMs - fault.endedMs;
    if (!(tookMs <= fault.recoverWithinMs)) {
      const seen = Number.isFinite(tookMs) ? `after ${Math.round(tookMs)} ms` : 'never';
      finding.violate(`${fault.name}: served again ${seen}, expected within ${fault.recoverWithinMs} ms`);
    } else worstMs = Math.max(worstMs, tookMs);
  }
  return finding.verdict(`slowest ${Math.round(worstMs)} ms of ${faults.length} faults`);
}

export interface Availability {
  /** Verifications that nobody had an excuse for: at a party that no fault struck just then. */
  readonly asked: number;
  readonly answered: number;
  /** Of all, faults and their aftermath included. */
  readonly askedInAll: number;
  readonly answeredInAll: number;
}

/** Verifications that got a verdict, outside of what faults struck, and in all. */
export function availabilityOf(operations: readonly Operation[], faults: readonly FaultMark[]): Availability {
  const found = { asked: 0, answered: 0, askedInAll: 0, answeredInAll: 0 };
  for (const { kind, at, invokedMs, settledMs, outcome } of operations) {
    if (kind !== 'verify') continue;
    const answered = outcome === 'ok' ? 1 : 0;
    found.askedInAll += 1;
    found.answeredInAll += answered;
    const excused = faults.some(
      (fault) =>
        fault.affects.includes(at) &&
        invokedMs < fault.recoveredMs &&
        (settledMs > fault.beganMs || outcome === 'unknown'),
    );
    if (excused) continue;
    found.asked += 1;
    found.answered += answered;
  }
  return found;
}

import type { RevocationWindow } from '../checker/bounded-revocation.ts';
import type { History } from '../history/history.ts';
import { isAcceptance } from '../history/operation.ts';
import type { Timeline } from './scenario.ts';

/** What happened in which second, for the report. */
export function timelineOf(history: History, windows: readonly RevocationWindow[]): Timeline {
  const operations = history.operations();
  const fromMs = operations[0]?.invokedMs ?? 0;
  const untilMs = operations.at(-1)?.invokedMs ?? 0;
  const seconds = Math.max(1, Math.ceil((untilMs - fromMs) / 1000));
  const at = (ms: number): number => (ms - fromMs) / 1000;
  const counts = () => new Array<number>(seconds).fill(0);
  const [valid, refused, away, lost, acked] = [counts(), counts(), counts(), counts(), counts()];
  for (const operation of operations) {
    const second = Math.min(seconds - 1, Math.max(0, Math.floor(at(operation.invokedMs))));
    const { kind, outcome } = operation;
    const list =
      kind !== 'verify'
        ? outcome === 'ok'
          ? acked
          : undefined
        : isAcceptance(operation)
          ? valid
          : outcome === 'ok'
            ? refused
            : outcome === 'fail'
              ? away
              : lost;
    if (list !== undefined) list[second] = (list[second] ?? 0) + 1;
  }
  return {
    seconds,
    faults: history.faults.map(({ name, beganMs, endedMs, recoveredMs }) => ({
      name,
      fromS: at(beganMs),
      untilS: Math.min(seconds, at(endedMs)),
      recoveredS: Number.isFinite(recoveredMs) ? at(recoveredMs) : null,
    })),
    valid: valid ?? [],
    refused: refused ?? [],
    away: away ?? [],
    lost: lost ?? [],
    acked: acked ?? [],
    windows: windows.map(({ ackMs, windowMs }) => ({ atS: at(ackMs), ms: windowMs })),
  };
}

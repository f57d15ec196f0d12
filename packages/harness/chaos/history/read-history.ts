import { readFileSync } from 'node:fs';
import type { Operation, OperationResult, Outcome } from './operation.ts';

interface Line extends Partial<Operation> {
  readonly e: string;
}

/** The operations of a file that a history wrote, halves put together; without its other half one is unknown. */
export function readHistory(path: string): readonly Operation[] {
  const operations = new Map<number, Operation>();
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    const line = parsed(text);
    if (line?.id === undefined) continue;
    const { e, id, ...rest } = line;
    if (e === 'invoke') operations.set(id, { ...unsettled, ...rest, id } as Operation);
    else if (isOutcome(e)) settle(operations, id, { ...rest, outcome: e });
  }
  return [...operations.values()];
}

const unsettled = {
  settledMs: Number.POSITIVE_INFINITY,
  outcome: 'unknown' as const,
  status: 0,
  code: '',
};

function settle(operations: Map<number, Operation>, id: number, half: Partial<Operation>): void {
  const opened = operations.get(id);
  if (opened === undefined) return;
  const settledMs = half.outcome === 'unknown' ? Number.POSITIVE_INFINITY : (half.settledMs ?? Number.NaN);
  const result: OperationResult | undefined = half.result;
  operations.set(id, { ...opened, ...half, settledMs, ...(result === undefined ? {} : { result }) });
}

function isOutcome(text: string): text is Outcome {
  return text === 'ok' || text === 'fail' || text === 'unknown';
}

/** The last line of a run that was killed may be cut in half. */
function parsed(text: string): Line | undefined {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}

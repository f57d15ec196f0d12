import {
  type Operation,
  type OperationResult,
  type Outcome,
  type WriteKind,
  writeKinds,
} from '../history/operation.ts';

/*
 * The history of one key. Attempts of one write (same Idempotency-Key) are one write: it begins with the first attempt, and it is
 * acknowledged with the first reply that says so. It failed for certain only if every attempt did.
 */

export interface LogicalWrite {
  readonly kind: WriteKind;
  readonly key: number;
  readonly at: string;
  readonly force: boolean;
  readonly graceMs: number;
  readonly invokedMs: number;
  readonly invokedWallMs: number;
  /** Infinity while unknown. */
  readonly settledMs: number;
  readonly outcome: Outcome;
  readonly result: OperationResult;
  readonly attempts: readonly Operation[];
}

export interface KeyStory {
  readonly key: number;
  readonly keyspace: string;
  readonly keyId: string | undefined;
  readonly issue: LogicalWrite | undefined;
  /** Of the wall clock; Infinity: never. */
  readonly expiresAtMs: number;
  /** All but the issue, in the order in which they began. */
  readonly writes: readonly LogicalWrite[];
  readonly verifies: readonly Operation[];
  readonly reads: readonly Operation[];
}

const isWrite: ReadonlySet<string> = new Set(writeKinds);

export function tellStories(operations: readonly Operation[]): ReadonlyMap<number, KeyStory> {
  const byKey = new Map<number, Operation[]>();
  for (const operation of operations) {
    const own = byKey.get(operation.key);
    if (own === undefined) byKey.set(operation.key, [operation]);
    else own.push(operation);
  }
  return new Map([...byKey].map(([key, own]) => [key, tellStory(key, own)]));
}

function tellStory(key: number, operations: readonly Operation[]): KeyStory {
  const writes = logicalWrites(operations.filter(({ kind }) => isWrite.has(kind)));
  const issue = writes.find(({ kind }) => kind === 'issue');
  return {
    key,
    keyspace: operations[0]?.keyspace ?? '',
    keyId: issue?.result.keyId,
    issue,
    expiresAtMs: issue?.result.expiresAtMs ?? Number.POSITIVE_INFINITY,
    writes: writes.filter(({ kind }) => kind !== 'issue'),
    verifies: operations.filter(({ kind }) => kind === 'verify'),
    reads: operations.filter(({ kind }) => kind === 'read'),
  };
}

function logicalWrites(operations: readonly Operation[]): readonly LogicalWrite[] {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const name = operation.idempotencyKey ?? `alone-${operation.id}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [operation]);
    else group.push(operation);
  }
  return [...groups.values()]
    .map(logicalWrite)
    .filter((write): write is LogicalWrite => write !== undefined)
    .sort((a, b) => a.invokedMs - b.invokedMs);
}

function logicalWrite(attempts: readonly Operation[]): LogicalWrite | undefined {
  const [first] = attempts;
  if (first === undefined || !isWriteKind(first.kind)) return undefined;
  const acked = attempts
    .filter(({ outcome }) => outcome === 'ok')
    .sort((a, b) => a.settledMs - b.settledMs)[0];
  const failed = attempts.every(({ outcome }) => outcome === 'fail');
  const outcome: Outcome = acked !== undefined ? 'ok' : failed ? 'fail' : 'unknown';
  return {
    kind: first.kind,
    key: first.key,
    at: acked?.at ?? first.at,
    force: first.force === true,
    graceMs: first.graceMs ?? 0,
    invokedMs: first.invokedMs,
    invokedWallMs: first.invokedWallMs,
    settledMs: acked?.settledMs ?? (failed ? (attempts.at(-1)?.settledMs ?? 0) : Number.POSITIVE_INFINITY),
    outcome,
    result: acked?.result ?? {},
    attempts,
  };
}

function isWriteKind(kind: string): kind is WriteKind {
  return isWrite.has(kind);
}

/** The write that made this version, if it was acknowledged. */
export function makerOf(story: KeyStory, version: number): LogicalWrite | undefined {
  if (version === 1) return story.issue?.outcome === 'ok' ? story.issue : undefined;
  return story.writes.find(
    ({ kind, outcome, result }) => kind === 'rotate' && outcome === 'ok' && result.version === version,
  );
}

/** Rotations that may have taken this version's place, in the order in which they began. */
export function rotationsAfter(story: KeyStory, version: number): readonly LogicalWrite[] {
  const maker = makerOf(story, version);
  if (maker === undefined) return [];
  return story.writes.filter(
    (write) => write.kind === 'rotate' && write.outcome !== 'fail' && write.invokedMs > maker.invokedMs,
  );
}

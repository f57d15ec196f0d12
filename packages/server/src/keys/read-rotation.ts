import { lineagePageMax } from '@keyswarm/contract';
import { assert, Fault, finishRotation, type KeyId, type KeyRecord } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { LineageVersion } from '../storage/reader-port.ts';
import { findKey } from './change-key.ts';
import { evidenceToFinish } from './rotate-key.ts';

export interface RotationOfKey {
  readonly key: KeyRecord;
  readonly current: LineageVersion;
  readonly previous: LineageVersion | undefined;
  readonly refusal: Fault | undefined;
  readonly lineage: readonly LineageVersion[];
  readonly nextBefore: number | null;
}

/** The rotation of a key as it stands, and a page of its versions. */
export async function readRotation(
  ports: UseCasePorts,
  caller: Caller,
  wish: { readonly id: KeyId; readonly before?: number | undefined },
): Promise<RotationOfKey> {
  const { key } = await findKey(ports, caller, wish.id, 'keys:read');
  // First, so that what was told to this process is in what is read after it.
  const evidence = await evidenceToFinish(ports, key);
  const { workspaceId } = caller;
  const page = { before: wish.before, limit: lineagePageMax + 1 };
  const [newest, found] = await Promise.all([
    ports.reader.lineage(workspaceId, key.id, { limit: 2 }),
    ports.reader.lineage(workspaceId, key.id, page),
  ]);
  const [current, previous] = newest;
  assert(current !== undefined, 'a key has a version');
  const lineage = found.slice(0, lineagePageMax);
  return {
    key,
    current,
    previous,
    refusal: refusalOf(() => finishRotation(key, { force: false, evidence }, ports.clock.nowMs())),
    lineage,
    nextBefore: found.length > lineagePageMax ? (lineage.at(-1)?.number ?? null) : null,
  };
}

/** The very decision that finishing is made by. */
function refusalOf(decide: () => KeyRecord): Fault | undefined {
  try {
    decide();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

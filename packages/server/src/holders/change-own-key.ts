import { assert, judgeHolder, type KeyRecord, type VerdictCode } from '@keyswarm/core';
import type { Holder } from '../access/holder.ts';
import { keyNotHeld } from '../access/missing.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { type ChangedKey, changeKey, type KeyChange, type KeyInTransaction } from '../keys/change-key.ts';

/*
 * The way of a change that the holder of a key asks for. It is that of every change to a key, but for who may: here
 * the key itself is the authority. The request was let in by what this process knew; what counts is what the records
 * say where the change is decided, so a key that was revoked, suspended or rotated away a moment ago by another
 * process changes nothing any more.
 */

export interface OwnKeyChange<Reply> extends Omit<KeyChange<Reply>, 'decide'> {
  /** Verdicts on the presented version with which the change is made; any other is refused as for a stranger. */
  readonly admits: ReadonlySet<VerdictCode>;
  decide(now: KeyInTransaction): KeyRecord;
}

export function changeOwnKey<Reply>(
  ports: UseCasePorts,
  holder: Holder,
  change: OwnKeyChange<Reply>,
): Promise<ChangedKey<Reply>> {
  const { admits, decide, ...rest } = change;
  const { keyId: id, ownerId, keyspaceId, version } = holder;
  return changeKey<Reply>(
    ports,
    holder,
    { key: { id, ownerId, keyspaceId } },
    {
      ...rest,
      decide(now) {
        if (!admits.has(judgeHolder(now, version, now.nowMs))) throw keyNotHeld();
        return decide(now);
      },
      data: (after) => ({ by: 'holder', ...change.data?.(after) }),
    },
  );
}

/** The verdict of a key that is used as it was meant to be. */
export const onlyValid: ReadonlySet<VerdictCode> = new Set(['valid']);

export function newestNumberOf(key: KeyRecord): number {
  const newest = key.versions.at(-1);
  assert(newest !== undefined, 'a key has a version');
  return newest.number;
}

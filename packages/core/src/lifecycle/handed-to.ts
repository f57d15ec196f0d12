import type { KeyId } from '../ids/ids.ts';
import { takersMax } from '../limits/limits.ts';
import type { KeyRecord } from './key-record.ts';
import type { HandedTo, KeyTraits } from './key-traits.ts';
import { liveVersionsAt } from './states.ts';

/**
 * Who has been handed a secret of a management key beside its holder. A manager who rotates another one's key has its new
 * secret, and can act as that one: for the rule of two people they count as one, as long as such a secret may live.
 *
 * A key that renews or rotates itself hands the new secret to whoever had the old one. Past the bound none is dropped:
 * the line is too long then for anything to be decided by this key.
 */
export function handOut(before: KeyRecord, after: KeyRecord, by: KeyId, nowMs: number): KeyTraits {
  const present = before.traits.handedTo ?? [];
  const newest = after.versions.at(-1)?.number ?? 0;
  const live = new Set(liveVersionsAt(before, nowMs).map(({ number }) => number));
  const takers =
    by === before.id ? present.filter(({ number }) => live.has(number)).map(({ keyId }) => keyId) : [by];
  const older = new Set(after.versions.map(({ number }) => number).filter((number) => number !== newest));
  const handedTo: readonly HandedTo[] = [
    ...present.filter(({ number }) => older.has(number)),
    ...[...new Set(takers)].slice(0, takersMax).map((keyId) => ({ number: newest, keyId })),
  ];
  const { handedTo: _before, ...traits } = after.traits;
  return handedTo.length === 0 ? traits : { ...traits, handedTo };
}

import type { KeyspaceRow, OwnerRow } from '@keyswarm/server/rooms/storage/statements/record-rows';
import type { KeyTruth } from './truth.ts';

/** What a version hangs on, as it was at some instant. */
export interface Standing {
  readonly key: KeyTruth;
  readonly owner: OwnerRow;
  readonly keyspace: KeyspaceRow;
}

/**
 * Does this version work, by these records, with the store's clock somewhere between the two? Written anew and not taken from the
 * product, which is what is judged by it.
 */
export function allows(
  { key: { key, versions }, owner, keyspace }: Standing,
  number: number,
  wall: { readonly earliestMs: number; readonly latestMs: number },
): boolean {
  const version = versions.find((each) => each.number === number);
  if (version === undefined || versions.slice(0, -3).includes(version)) return false;
  const ends = [key.expires_at, version.state === 'active' ? null : version.retires_at];
  const isOver = ends.some((end) => end !== null && wall.earliestMs >= end);
  const hasBegun = key.not_before === null || wall.latestMs >= key.not_before;
  const watermarks = [owner.keys_not_before, keyspace.keys_not_before];
  return (
    key.state === 'active' &&
    version.state !== 'retired' &&
    owner.state === 'active' &&
    keyspace.state === 'active' &&
    !isOver &&
    hasBegun &&
    watermarks.every((mark) => mark === null || version.minted_at > mark)
  );
}

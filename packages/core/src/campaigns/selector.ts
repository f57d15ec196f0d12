import { uuidBytesOf } from '../ids/id-codec.ts';
import type { KeyId } from '../ids/ids.ts';
import type { KeyRecord } from '../lifecycle/key-record.ts';
import { keyStateAt } from '../lifecycle/states.ts';
import { coversAll } from '../scopes/scopes.ts';
import type { KeySelector, RankRange } from './campaign.ts';

/** Where the key stands in the order in which samples are taken: two random bytes of its id, 0 to 65,535. */
export function rankOf(id: KeyId): number {
  const bytes = uuidBytesOf(id);
  return ((bytes[10] ?? 0) << 8) | (bytes[11] ?? 0);
}

/** Is this key, as the watermarks leave it, one that the selector means? The store's own filter is compared with this. */
export function selects(selector: KeySelector, key: KeyRecord, nowMs: number): boolean {
  const state = keyStateAt(key, nowMs);
  if (state === 'revoked' || state === 'expired') return false;
  if (selector.state !== null && state !== selector.state) return false;
  if (!selector.keyspaceIds.includes(key.keyspaceId)) return false;
  if (selector.ownerId !== null && key.ownerId !== selector.ownerId) return false;
  if (key.createdAtMs >= selector.issuedBeforeMs) return false;
  return coversAll(key.scopes, selector.scopes);
}

export function isInRange(id: KeyId, { from, until }: RankRange): boolean {
  const rank = rankOf(id);
  return rank >= from && rank < until;
}

/** Could a key be meant by both? By what never changes of a key: its keyspace and its owner. */
export function mayMeet(
  one: Pick<KeySelector, 'keyspaceIds' | 'ownerId'>,
  other: Pick<KeySelector, 'keyspaceIds' | 'ownerId'>,
): boolean {
  if (one.ownerId !== null && other.ownerId !== null && one.ownerId !== other.ownerId) return false;
  return one.keyspaceIds.some((id) => other.keyspaceIds.includes(id));
}

/** Does it leave nothing of its keyspaces out, so that it has to be confirmed? */
export function isUnnarrowed(selector: KeySelector, startedAtMs: number): boolean {
  const { ownerId, scopes, state, issuedBeforeMs } = selector;
  return ownerId === null && scopes.length === 0 && state === null && issuedBeforeMs >= startedAtMs;
}

import { reasonLengthMax } from '../limits/limits.ts';
import { admit, changeKey } from './admit.ts';
import { checkText } from './check-fields.ts';
import type { KeyRecord } from './key-record.ts';

export interface RevokeKey {
  /** Public: it stands in the event and the audit record. */
  readonly reason?: string | null | undefined;
}

/** Ends the key with all its versions, for good. Nothing leads out of `revoked`. */
export function revokeKey(key: KeyRecord, wish: RevokeKey, nowMs: number): KeyRecord {
  admit(key, 'revoke', nowMs);
  const revokeReason =
    wish.reason === undefined || wish.reason === null
      ? null
      : checkText(wish.reason, '/reason', {
          lengthMin: 0,
          lengthMax: reasonLengthMax,
          controlCharacters: 'refused',
        });
  return changeKey(key, { state: 'revoked', revokedAtMs: nowMs, revokeReason }, nowMs);
}

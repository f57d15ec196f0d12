import { admit, changeKey } from './admit.ts';
import type { KeyRecord } from './key-record.ts';

/** Refuses the key until it is resumed. Expiry and graces run on meanwhile. */
export function suspendKey(key: KeyRecord, nowMs: number): KeyRecord {
  admit(key, 'suspend', nowMs);
  return changeKey(key, { state: 'suspended' }, nowMs);
}

/** Lets a suspended key work again; one whose beginning has not come is pending again. */
export function resumeKey(key: KeyRecord, nowMs: number): KeyRecord {
  admit(key, 'resume', nowMs);
  return changeKey(key, { state: 'active' }, nowMs);
}

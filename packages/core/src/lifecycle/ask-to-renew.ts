import { admit, changeKey } from './admit.ts';
import type { KeyRecord } from './key-record.ts';

export interface AskToRenew {
  readonly renewAfterMs: number;
  readonly campaign: string;
}

/** Tells the key's holder, by way of its verdicts, to renew it from an instant on. A key's state does not change. */
export function askToRenew(key: KeyRecord, ask: AskToRenew, nowMs: number): KeyRecord {
  admit(key, 'update', nowMs);
  return changeKey(key, { traits: { ...key.traits, ...ask } }, nowMs);
}

import { Fault } from '../errors/fault.ts';
import { ttlSecondsMax } from '../limits/limits.ts';
import { checkInteger, checkTimeMs } from './check-fields.ts';
import type { KeyspaceRecord } from './key-record.ts';

/*
 * When a key ends. The maximum of a keyspace bounds how long one *secret* may live: it counts from when the
 * newest version was minted. So an update alone can't stretch a key past it, and a rotated key may go on.
 */

interface Life {
  readonly nowMs: number;
  /** When the newest version was minted. */
  readonly mintedAtMs: number;
  readonly notBeforeMs: number | null;
  readonly keyspace: KeyspaceRecord;
}

export interface ExpiryWish {
  readonly ttlSeconds?: number | undefined;
  readonly expiresAtMs?: number | undefined;
}

/** The expiry of a key that is issued: what was asked for, else the keyspace's default, else never. */
export function resolveExpiryMs(wish: ExpiryWish, life: Life): number | null {
  const { ttlSeconds, expiresAtMs } = wish;
  if (ttlSeconds !== undefined && expiresAtMs !== undefined) {
    throw new Fault('expiry_conflict', {
      detail: 'Both a time to live and an expiry were given.',
      field: '/ttl_seconds',
      expected: 'one of ttl_seconds and expires_at',
    });
  }
  if (ttlSeconds !== undefined) {
    checkInteger(ttlSeconds, '/ttl_seconds', { min: 1, max: ttlSecondsMax, unit: 'seconds' });
    return checkExpiryMs(life.nowMs + ttlSeconds * 1000, '/ttl_seconds', life);
  }
  if (expiresAtMs !== undefined) return checkExpiryMs(expiresAtMs, '/expires_at', life);
  const { defaultTtlSeconds, maxTtlSeconds } = life.keyspace;
  if (defaultTtlSeconds !== null) {
    return checkExpiryMs(life.nowMs + defaultTtlSeconds * 1000, '/ttl_seconds', life);
  }
  if (maxTtlSeconds === null) return null;
  // Rejected: taking the maximum silently, because the caller who forgot would get the longest life there is.
  throw new Fault('missing_field', {
    detail: 'The keyspace sets a maximum time to live and no default, so one must be given.',
    field: '/ttl_seconds',
    expected: `1 to ${maxTtlSeconds} seconds`,
  });
}

/** An expiry that may be set; null, never, only where the keyspace sets no maximum. */
export function checkExpiryMs(expiresAtMs: number | null, field: string, life: Life): number | null {
  const { maxTtlSeconds } = life.keyspace;
  if (expiresAtMs === null) {
    if (maxTtlSeconds === null) return null;
    throw tooLong(field, maxTtlSeconds);
  }
  checkTimeMs(expiresAtMs, field);
  if (expiresAtMs <= life.nowMs) {
    throw new Fault('expiry_in_past', {
      detail: 'The key would be expired at once.',
      field,
      expected: 'a time in the future',
    });
  }
  if (life.notBeforeMs !== null && expiresAtMs <= life.notBeforeMs) {
    throw new Fault('expiry_conflict', {
      detail: 'The key would expire before it begins.',
      field,
      expected: 'an expiry after not_before',
    });
  }
  if (maxTtlSeconds !== null && expiresAtMs > life.mintedAtMs + maxTtlSeconds * 1000) {
    throw tooLong(field, maxTtlSeconds);
  }
  return expiresAtMs;
}

function tooLong(field: string, maxTtlSeconds: number): Fault {
  return new Fault('ttl_too_long', {
    detail: 'The keyspace does not allow a secret to live that long.',
    field,
    expected: `at most ${maxTtlSeconds} seconds from when the newest version was minted`,
  });
}

import { createHash } from 'node:crypto';
import { Fault } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import type { KeyHash } from '../schemas/import.ts';
import { optionalTimeMsOf, timeMsOf } from '../views/time.ts';
import { eventTypesOf, importedFormatOf, importedHashOf, pageLimitOf } from './requests.ts';

const digest = createHash('sha256').update('an old key').digest();

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'accepted';
  } catch (error) {
    return error instanceof Fault ? `${error.code} ${error.field}` : `threw ${String(error)}`;
  }
};

describe('an imported hash', () => {
  it.each<KeyHash>([
    { format: 'sha256-hex', value: digest.toString('hex') },
    { format: 'sha256-hex', value: digest.toString('hex').toUpperCase() },
    { format: 'prefixed-api-key', value: digest.toString('hex') },
    { format: 'sha256-base64', value: digest.toString('base64') },
    { format: 'sha256-base64', value: digest.toString('base64url') },
  ])('is the same 32 bytes as $format $value', (hash) => {
    expect([...importedHashOf(hash, 'hash')]).toEqual([...digest]);
  });

  it.each<KeyHash>([
    { format: 'sha256-hex', value: digest.toString('base64') },
    { format: 'sha256-hex', value: `${digest.toString('hex').slice(0, -1)}g` },
    { format: 'sha256-hex', value: digest.toString('hex').slice(2) },
    { format: 'sha256-base64', value: digest.toString('hex') },
    { format: 'sha256-base64', value: digest.subarray(1).toString('base64') },
    { format: 'sha256-base64', value: `${digest.toString('base64url').slice(0, -1)}_` },
  ])('that is not 32 bytes as $format is refused: $value', (hash) => {
    expect(codeOf(() => importedHashOf(hash, '/keys/0/hash/value'))).toBe('invalid_field /keys/0/hash/value');
  });
});

describe('the format of an import', () => {
  it('tells the long token of a prefixed API key from a whole string, however the hash was written', () => {
    expect(importedFormatOf('prefixed-api-key')).toBe('prefixed_api_key');
    expect(importedFormatOf('sha256-hex')).toBe('sha256');
    expect(importedFormatOf('sha256-base64')).toBe('sha256');
  });
});

describe('an instant', () => {
  it('is read with its offset, to the millisecond', () => {
    expect(timeMsOf('2030-01-31T12:00:00.123456Z', 'f')).toBe(Date.UTC(2030, 0, 31, 12, 0, 0, 123));
    expect(timeMsOf('2030-01-31T23:30:00-01:00', 'f')).toBe(Date.UTC(2030, 1, 1, 0, 30));
    expect(timeMsOf('2028-02-29T00:00:00Z', 'f')).toBe(Date.UTC(2028, 1, 29));
  });

  it.each([
    '2030-02-30T00:00:00Z',
    '2029-02-29T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-01T25:00:00Z',
    '1969-12-31T23:59:59Z',
    '9999-12-31T23:59:59-01:00',
    'tomorrow',
  ])('that the calendar does not have is refused: %s', (text) => {
    expect(codeOf(() => timeMsOf(text, 'expires_at'))).toBe('invalid_field expires_at');
  });

  it('stays absent or null where it was', () => {
    expect(optionalTimeMsOf(undefined, 'f')).toBeUndefined();
    expect(optionalTimeMsOf(null, 'f')).toBeNull();
  });
});

describe('a query', () => {
  it('has a limit of 50 unless it says another, and every type unless it names some', () => {
    expect(pageLimitOf(undefined)).toBe(50);
    expect(pageLimitOf('7')).toBe(7);
    expect(eventTypesOf(undefined)).toBeUndefined();
    expect(eventTypesOf('key.revoked,key.issued,key.issued')).toEqual(['key.issued', 'key.revoked']);
  });
});

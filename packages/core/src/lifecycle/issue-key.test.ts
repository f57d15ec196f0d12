import { describe, expect, it } from 'vitest';
import { AssertionBroken } from '../errors/assert.ts';
import { mintKeyString } from '../key-format/key-format.ts';
import { faultOf } from './fault-of.arbitrary.ts';
import { type ImportedFormat, type IssueKey, importKey, issueKey } from './issue-key.ts';
import { fingerprintOf, issued, issueWish, keyspaceWith, t0 } from './records.arbitrary.ts';

const day = 86_400;
const refusal = (change: Partial<IssueKey>): string => faultOf(() => issueKey(issueWish(change)));

describe('an issued key', () => {
  it('has one active version, revision 1, and its scopes sorted without duplicates', () => {
    const key = issued({ scopes: ['orders:write', 'billing:read', 'orders:write'] });
    expect(key).toMatchObject({
      state: 'active',
      revision: 1,
      scopes: ['billing:read', 'orders:write'],
      createdAtMs: t0,
      revokedAtMs: null,
      versions: [{ number: 1, state: 'active', mintedAtMs: t0, retiresAtMs: null }],
    });
  });

  it('keeps nothing that the caller can change afterwards', () => {
    const metadata = { team: 'payments' };
    const scopes = ['orders:read'];
    const key = issueKey({ ...issueWish(), metadata, scopes });
    metadata.team = 'others';
    scopes.push('orders:write');
    expect(key.metadata).toEqual({ team: 'payments' });
    expect(key.scopes).toEqual(['orders:read']);
  });

  it('expires as asked for, else as the keyspace says, else never', () => {
    expect(issued({ ttlSeconds: 60 }).expiresAtMs).toBe(t0 + 60_000);
    expect(issued({ expiresAtMs: t0 + 1 }).expiresAtMs).toBe(t0 + 1);
    expect(issued({ keyspace: keyspaceWith({ defaultTtlSeconds: day }) }).expiresAtMs).toBe(t0 + day * 1000);
    expect(issued().expiresAtMs).toBeNull();
  });

  it('is minted after every watermark, so that it is not born revoked', () => {
    const keyspace = keyspaceWith({ keysNotBeforeMs: t0 });
    expect(issued({ keyspace }).versions[0]?.mintedAtMs).toBe(t0 + 1);
    expect(issued({ ownerKeysNotBeforeMs: t0 + 50 }).versions[0]?.mintedAtMs).toBe(t0 + 51);
    expect(issued({ ownerKeysNotBeforeMs: t0 - 50 }).versions[0]?.mintedAtMs).toBe(t0);
    expect(issued({ ownerKeysNotBeforeMs: null }).versions[0]?.mintedAtMs).toBe(t0);
  });

  it('takes what is just within the bounds', () => {
    const key = issued({
      name: '\u{1f41d}'.repeat(128),
      metadata: Object.fromEntries(
        Array.from({ length: 32 }, (_, at) => [`${at}`.padEnd(64, 'k'), 'v'.repeat(512)]),
      ),
      scopes: Array.from({ length: 64 }, (_, at) => `orders:s${at}`),
    });
    expect(key.scopes).toHaveLength(64);
    expect(issued({ name: '', scopes: [], metadata: { note: 'two\nlines' } }).name).toBe('');
  });
});

describe('issuing refuses', () => {
  const secret = mintKeyString('orders_live', (count) => new Uint8Array(count));
  const capped = keyspaceWith({ maxTtlSeconds: day, defaultTtlSeconds: null });

  it.each<readonly [string, Partial<IssueKey>, string]>([
    ['a name over 128 characters', { name: 'n'.repeat(129) }, 'invalid_field /name'],
    ['U+0000 in a name', { name: 'a\u0000' }, 'invalid_field /name'],
    ['half a surrogate pair', { name: '\ud83d' }, 'invalid_field /name'],
    ['a line break in a name', { name: 'a\nb' }, 'invalid_field /name'],
    ['a secret in a name', { name: `was ${secret}` }, 'invalid_field /name'],
    ['a secret in the metadata', { metadata: { old: secret } }, 'invalid_field /metadata/old'],
    ['a secret as the name of an entry', { metadata: { [secret]: '' } }, 'invalid_field /metadata'],
    ['a metadata value over 512', { metadata: { a: 'v'.repeat(513) } }, 'invalid_field /metadata/a'],
    ['U+0000 in a metadata value', { metadata: { 'a/b~c': '\u0000' } }, 'invalid_field /metadata/a~1b~0c'],
    ['an entry name over 64', { metadata: { ['k'.repeat(65)]: '' } }, 'invalid_field /metadata'],
    ['an empty entry name', { metadata: { '': '' } }, 'invalid_field /metadata'],
    ['an entry named __proto__', { metadata: JSON.parse('{"__proto__":"x"}') }, 'invalid_field /metadata'],
    ['a metadata value that is no text', { metadata: JSON.parse('{"a":1}') }, 'invalid_field /metadata/a'],
    [
      '33 metadata entries',
      { metadata: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`k${at}`, ''])) },
      'invalid_field /metadata',
    ],
    ['a malformed scope', { scopes: ['orders:read', 'Orders'] }, 'invalid_scope /scopes/1'],
    ['a scope that is no text', { scopes: JSON.parse('[7]') }, 'invalid_scope /scopes/0'],
    ['a scope outside of the keyspace', { scopes: ['orders:read', 'admin'] }, 'scope_not_allowed /scopes/1'],
    ['a scope wider than the keyspace', { scopes: ['*'] }, 'scope_not_allowed /scopes/0'],
    [
      '65 scopes',
      { scopes: Array.from({ length: 65 }, (_, at) => `orders:s${at}`) },
      'invalid_field /scopes',
    ],
    [
      'a time to live and an expiry',
      { ttlSeconds: 60, expiresAtMs: t0 + 60_000 },
      'expiry_conflict /ttl_seconds',
    ],
    ['an expiry that is now', { expiresAtMs: t0 }, 'expiry_in_past /expires_at'],
    ['an expiry in the past', { expiresAtMs: 0 }, 'expiry_in_past /expires_at'],
    [
      'an expiry before the beginning',
      { expiresAtMs: t0 + 5, notBeforeMs: t0 + 5 },
      'expiry_conflict /expires_at',
    ],
    [
      'a life that ends before it begins',
      { ttlSeconds: 1, notBeforeMs: t0 + 5000 },
      'expiry_conflict /ttl_seconds',
    ],
    ['no time to live', { ttlSeconds: 0 }, 'invalid_field /ttl_seconds'],
    ['half a second', { ttlSeconds: 0.5 }, 'invalid_field /ttl_seconds'],
    ['a time to live of centuries', { ttlSeconds: 1e12 }, 'invalid_field /ttl_seconds'],
    ['a time to live that is no number', { ttlSeconds: Number.NaN }, 'invalid_field /ttl_seconds'],
    ['an expiry past the year 9999', { expiresAtMs: 9e15 }, 'invalid_field /expires_at'],
    ['a beginning before 1970', { notBeforeMs: -1 }, 'invalid_field /not_before'],
    ['a life over the maximum', { keyspace: capped, ttlSeconds: day + 1 }, 'ttl_too_long /ttl_seconds'],
    [
      'an expiry over the maximum',
      { keyspace: capped, expiresAtMs: t0 + day * 1000 + 1 },
      'ttl_too_long /expires_at',
    ],
    ['no wish where there is a maximum and no default', { keyspace: capped }, 'missing_field /ttl_seconds'],
  ])('%s', (_, change, expected) => {
    expect(refusal(change)).toBe(expected);
  });

  it('never repeats a secret in the fault', () => {
    try {
      issueKey(issueWish({ name: secret }));
    } catch (error) {
      expect(JSON.stringify([error, String(error)])).not.toContain(secret);
    }
    expect.assertions(1);
  });

  it('as a bug, what only the server can get wrong', () => {
    expect(() => issueKey(issueWish({ fingerprint: new Uint8Array(16) }))).toThrow(AssertionBroken);
    expect(() => issueKey(issueWish({ nowMs: Number.NaN }))).toThrow(AssertionBroken);
    const other = JSON.parse('"ws_0000000000000000000000000a"');
    expect(() => issueKey(issueWish({ workspaceId: other }))).toThrow(AssertionBroken);
  });
});

describe('an imported key', () => {
  it('is a key like any other', () => {
    const wish = { ...issueWish({ fingerprint: fingerprintOf(9) }), importedFormat: 'sha256' } as const;
    expect(importKey(wish)).toEqual(issueKey(wish));
  });

  it('is refused in a format that is not known', () => {
    const importedFormat = 'md5' as string as ImportedFormat;
    expect(faultOf(() => importKey({ ...issueWish(), importedFormat }))).toBe('invalid_field /format');
  });
});

import { describe, expect, it } from 'vitest';
import { mintKeyString } from '../key-format/key-format.ts';
import { faultOf } from './fault-of.arbitrary.ts';
import { issued, keyspaceWith, rotated, t0 } from './records.arbitrary.ts';
import { revokeKey } from './revoke-key.ts';
import { effectiveExpiryMs, keyStateAt, underOwner } from './states.ts';
import { resumeKey, suspendKey } from './suspend-key.ts';
import { type UpdateKey, updateKey } from './update-key.ts';

const day = 86_400;

describe('a key under an owner whose keys were revoked', () => {
  const key = issued();
  const mintedAtMs = key.versions[0]?.mintedAtMs ?? 0;

  it('is revoked when it was minted at or before the watermark, and no decider revives it', () => {
    const seen = underOwner(key, mintedAtMs);
    expect(seen).toMatchObject({ state: 'revoked', revokedAtMs: mintedAtMs, revision: key.revision });
    expect(faultOf(() => suspendKey(seen, t0 + 1))).toBe('key_revoked id');
    expect(faultOf(() => revokeKey(seen, {}, t0 + 1))).toBe('already_revoked id');
  });

  it('is itself when it was minted later, when there is no watermark, and when it was revoked by itself', () => {
    expect(underOwner(key, mintedAtMs - 1)).toBe(key);
    expect(underOwner(key, null)).toBe(key);
    const revoked = revokeKey(key, { reason: 'leaked' }, t0 + 5);
    expect(underOwner(revoked, t0 + 9)).toBe(revoked);
  });
});

describe('revoking', () => {
  it('is final, dated, and says why', () => {
    const key = revokeKey(issued(), { reason: 'leaked' }, t0 + 5);
    expect(key).toMatchObject({ state: 'revoked', revokedAtMs: t0 + 5, revokeReason: 'leaked', revision: 2 });
    expect(faultOf(() => revokeKey(key, {}, t0 + 6))).toBe('already_revoked id');
    expect(revokeKey(issued(), {}, t0).revokeReason).toBeNull();
  });

  it('of a revoked key is told as that, and any other step as one that it can not take', () => {
    const key = revokeKey(issued(), {}, t0);
    expect(() => revokeKey(key, {}, t0)).toThrow('The key is already revoked.');
    expect(() => suspendKey(key, t0)).toThrow('The key is revoked and can not be suspended.');
  });

  it('reaches suspended, pending and expired keys too', () => {
    const keys = [suspendKey(issued(), t0), issued({ notBeforeMs: t0 + 5000 }), issued({ ttlSeconds: 1 })];
    for (const key of keys) expect(revokeKey(key, {}, t0 + 2000).state).toBe('revoked');
  });

  it('takes no reason that can not be stored or that is a secret', () => {
    const secret = mintKeyString('orders_live', (count) => new Uint8Array(count));
    for (const reason of ['r'.repeat(257), '\u0000', '\ud800', 'a\nb', `it was ${secret}`]) {
      expect(faultOf(() => revokeKey(issued(), { reason }, t0))).toBe('invalid_field /reason');
    }
  });
});

describe('suspending', () => {
  it('is undone by resuming, and only by that', () => {
    const suspended = suspendKey(issued(), t0);
    expect(keyStateAt(suspended, t0)).toBe('suspended');
    expect(keyStateAt(resumeKey(suspended, t0), t0)).toBe('active');
    expect(faultOf(() => suspendKey(suspended, t0))).toBe('already_suspended id');
    expect(faultOf(() => resumeKey(issued(), t0))).toBe('not_suspended id');
  });

  it('does not stop the clock: an expired key is not resumed', () => {
    const suspended = suspendKey(issued({ ttlSeconds: 1 }), t0);
    expect(faultOf(() => resumeKey(suspended, t0 + 1000))).toBe('key_expired id');
  });

  it('leaves a key that has not begun pending when it is resumed', () => {
    const key = resumeKey(suspendKey(issued({ notBeforeMs: t0 + 5000 }), t0), t0);
    expect(keyStateAt(key, t0)).toBe('pending');
  });
});

describe('updating', () => {
  const update = (patch: UpdateKey, key = issued(), nowMs = t0) =>
    updateKey(key, keyspaceWith(), patch, nowMs);

  it('changes what is named and leaves the rest', () => {
    const key = update({
      name: 'other',
      scopes: ['orders:write', 'billing:read'],
      metadata: {},
      expiresAtMs: t0 + 5,
    });
    expect(key).toMatchObject({
      name: 'other',
      scopes: ['billing:read', 'orders:write'],
      metadata: {},
      expiresAtMs: t0 + 5,
    });
    expect(update({ name: 'other' })).toEqual({ ...issued(), name: 'other', revision: 2 });
    expect(update({ expiresAtMs: null }, issued({ ttlSeconds: 60 })).expiresAtMs).toBeNull();
  });

  it('takes a running grace with an earlier expiry, and does not lengthen it with a later one', () => {
    const rotating = rotated(issued({ ttlSeconds: 3600 }), t0, { graceSeconds: 600 });
    const earlier = update({ expiresAtMs: t0 + 5000 }, rotating);
    expect(earlier.versions[0]?.retiresAtMs).toBe(t0 + 5000);
    expect(update({ expiresAtMs: t0 + 9_000_000 }, earlier).versions[0]?.retiresAtMs).toBe(t0 + 5000);
  });

  it('can not stretch a secret past the maximum, but a rotated key may go on', () => {
    const keyspace = keyspaceWith({ maxTtlSeconds: day });
    const key = issued({ keyspace, ttlSeconds: day });
    const later = t0 + (day * 1000) / 2;
    const stretch = (from: typeof key) =>
      updateKey(from, keyspace, { expiresAtMs: later + day * 1000 }, later);
    expect(faultOf(() => stretch(key))).toBe('ttl_too_long /expires_at');
    expect(faultOf(() => updateKey(key, keyspace, { expiresAtMs: null }, later))).toBe(
      'ttl_too_long /expires_at',
    );
    expect(stretch(rotated(key, later)).expiresAtMs).toBe(later + day * 1000);
  });

  it.each<readonly [string, UpdateKey, string]>([
    ['nothing', {}, 'missing_field '],
    ['a bad name', { name: '\u0000' }, 'invalid_field /name'],
    ['a bad scope', { scopes: ['a b'] }, 'invalid_scope /scopes/0'],
    ['a scope outside of the keyspace', { scopes: ['admin'] }, 'scope_not_allowed /scopes/0'],
    ['bad metadata', { metadata: { '': 'x' } }, 'invalid_field /metadata'],
    ['an expiry in the past', { expiresAtMs: t0 }, 'expiry_in_past /expires_at'],
    ['an expiry that is no time', { expiresAtMs: 1.5 }, 'invalid_field /expires_at'],
  ])('refuses %s', (_, patch, expected) => {
    expect(faultOf(() => update(patch))).toBe(expected);
  });

  it('does not revive an expired key, not even for a name', () => {
    const key = issued({ ttlSeconds: 1 });
    expect(faultOf(() => update({ expiresAtMs: t0 + 9_000_000 }, key, t0 + 1000))).toBe('key_expired id');
    expect(faultOf(() => update({ name: 'x' }, key, t0 + 1000))).toBe('key_expired id');
  });
});

describe('the expiry that counts', () => {
  it('is the earlier of the key and its version', () => {
    expect(effectiveExpiryMs({ expiresAtMs: null }, { retiresAtMs: null })).toBeNull();
    expect(effectiveExpiryMs({ expiresAtMs: 5 }, { retiresAtMs: null })).toBe(5);
    expect(effectiveExpiryMs({ expiresAtMs: null }, { retiresAtMs: 4 })).toBe(4);
    expect(effectiveExpiryMs({ expiresAtMs: 5 }, { retiresAtMs: 4 })).toBe(4);
    expect(effectiveExpiryMs({ expiresAtMs: 3 }, { retiresAtMs: 4 })).toBe(3);
  });
});

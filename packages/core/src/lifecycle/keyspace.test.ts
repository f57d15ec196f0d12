import { describe, expect, it } from 'vitest';
import { commitMsMax, effectiveByMs } from '../limits/limits.ts';
import { faultOf } from './fault-of.arbitrary.ts';
import {
  builtinKeyspace,
  type CreateKeyspace,
  closeKeyspaceRevocation,
  createKeyspace,
  isBuiltinKeyspace,
  type KeyspacePatch,
  resumeKeyspace,
  revokeKeyspaceKeys,
  suspendKeyspace,
  updateKeyspace,
} from './keyspace.ts';
import { keyspaceId, keyspaceWith, t0, workspaceId } from './records.arbitrary.ts';

const wish: CreateKeyspace = {
  id: keyspaceId,
  workspaceId,
  name: 'orders-live',
  prefix: 'orders_live',
  allowedScopes: ['orders:*'],
};
const builtin = builtinKeyspace({ id: keyspaceId, workspaceId }, t0);

describe('a keyspace', () => {
  it('has a lease of 30 seconds and no limit of life unless told', () => {
    expect(createKeyspace(wish, t0)).toMatchObject({
      leaseSeconds: 30,
      defaultTtlSeconds: null,
      maxTtlSeconds: null,
      revision: 1,
      state: 'active',
    });
  });

  it.each<readonly [string, Partial<CreateKeyspace>, string]>([
    ['an empty name', { name: '' }, 'invalid_field /name'],
    ['a name in upper case', { name: 'Orders' }, 'invalid_field /name'],
    ['a name that is two segments', { name: 'orders:live' }, 'invalid_field /name'],
    ['a name over 64', { name: 'n'.repeat(65) }, 'invalid_field /name'],
    ['a name that could be an id', { name: 'ks_01h455vb4pex5vsknk084sn02q' }, 'invalid_field /name'],
    ['the name of the built-in one', { name: 'keyswarm' }, 'name_taken /name'],
    ['the prefix of the built-in one', { prefix: 'keyswarm' }, 'invalid_prefix /prefix'],
    ['a bad prefix', { prefix: 'orders__live' }, 'invalid_prefix /prefix'],
    ['a long prefix', { prefix: 'p'.repeat(25) }, 'invalid_prefix /prefix'],
    ['a prefix that is no text', { prefix: JSON.parse('7') }, 'invalid_prefix /prefix'],
    ['a bad scope', { allowedScopes: ['orders:'] }, 'invalid_scope /allowed_scopes/0'],
    [
      '65 scopes',
      { allowedScopes: Array.from({ length: 65 }, (_, at) => `s${at}`) },
      'invalid_field /allowed_scopes',
    ],
    ['a lease of nothing', { leaseSeconds: 0 }, 'invalid_field /lease_seconds'],
    ['a lease over 600', { leaseSeconds: 601 }, 'invalid_field /lease_seconds'],
    [
      'a default over the maximum',
      { defaultTtlSeconds: 2, maxTtlSeconds: 1 },
      'ttl_too_long /default_ttl_seconds',
    ],
    ['a maximum of nothing', { maxTtlSeconds: 0 }, 'invalid_field /max_ttl_seconds'],
    ['a default in fractions', { defaultTtlSeconds: 1.5 }, 'invalid_field /default_ttl_seconds'],
    ['a negative grace', { maxGraceSeconds: -1 }, 'invalid_field /max_grace_seconds'],
    ['a grace of years', { maxGraceSeconds: 1e9 }, 'invalid_field /max_grace_seconds'],
  ])('is refused with %s', (_, change, expected) => {
    expect(faultOf(() => createKeyspace({ ...wish, ...change }, t0))).toBe(expected);
  });

  it('changes what is named and leaves the rest; null takes a limit away', () => {
    const keyspace = keyspaceWith({ defaultTtlSeconds: 60, maxTtlSeconds: 60 });
    expect(updateKeyspace(keyspace, { leaseSeconds: 40 }, t0)).toEqual({
      ...keyspace,
      leaseSeconds: 40,
      revision: 2,
    });
    const unlimited = updateKeyspace(keyspace, { defaultTtlSeconds: null, maxTtlSeconds: null }, t0);
    expect(unlimited).toMatchObject({ defaultTtlSeconds: null, maxTtlSeconds: null });
  });

  it('keeps until when a verifier may run on a longer lease than the present one', () => {
    const lowered = updateKeyspace(keyspaceWith({ leaseSeconds: 100 }), { leaseSeconds: 2 }, t0);
    // The clock was read before the commit, from which the former lease runs.
    expect(lowered.formerLeaseUntilMs).toBe(effectiveByMs(t0 + commitMsMax, 100_000));
    const raised = updateKeyspace(lowered, { leaseSeconds: 50 }, t0 + 1);
    const loweredAgain = updateKeyspace(raised, { leaseSeconds: 2 }, t0 + 2);
    expect(loweredAgain.formerLeaseUntilMs).toBe(lowered.formerLeaseUntilMs);
    const later = updateKeyspace(raised, { leaseSeconds: 2 }, t0 + 1_000_000);
    expect(later.formerLeaseUntilMs).toBe(effectiveByMs(t0 + 1_000_000 + commitMsMax, 50_000));
    expect(updateKeyspace(later, { leaseSeconds: 3 }, t0).formerLeaseUntilMs).toBe(later.formerLeaseUntilMs);
  });

  it.each<readonly [string, KeyspacePatch, string]>([
    ['nothing', {}, 'missing_field '],
    ['a maximum under the default', { maxTtlSeconds: 59 }, 'ttl_too_long /default_ttl_seconds'],
    ['a bad scope', { allowedScopes: ['*', 'B'] }, 'invalid_scope /allowed_scopes/1'],
    ['a bad lease', { leaseSeconds: 1.5 }, 'invalid_field /lease_seconds'],
  ])('is not changed to %s', (_, patch, expected) => {
    expect(faultOf(() => updateKeyspace(keyspaceWith({ defaultTtlSeconds: 60 }), patch, t0))).toBe(expected);
  });

  it('is suspended and resumed, one revision at a time', () => {
    const suspended = suspendKeyspace(keyspaceWith(), t0);
    expect(suspended).toMatchObject({ state: 'suspended', revision: 2 });
    expect(resumeKeyspace(suspended, t0)).toMatchObject({ state: 'active', revision: 3 });
    expect(faultOf(() => suspendKeyspace(suspended, t0))).toBe('already_suspended id');
    expect(faultOf(() => resumeKeyspace(keyspaceWith(), t0))).toBe('not_suspended id');
  });
});

describe('revoking every key of a keyspace', () => {
  it('moves the watermark at every call, though the clock went back', () => {
    const once = revokeKeyspaceKeys(keyspaceWith(), t0);
    expect(once).toMatchObject({ keysNotBeforeMs: t0, revision: 2 });
    expect(revokeKeyspaceKeys(once, t0 - 5000).keysNotBeforeMs).toBe(t0 + 1);
  });

  it('is closed at an instant after its first half was committed, and no later than that can have been', () => {
    const begun = revokeKeyspaceKeys(keyspaceWith(), t0);
    expect(closeKeyspaceRevocation(begun, t0, t0 + 40)?.keysNotBeforeMs).toBe(t0 + 40);
    expect(closeKeyspaceRevocation(begun, t0, t0 - 9)?.keysNotBeforeMs).toBe(t0 + 1);
    // By a retry that comes a day later: keys that were issued meanwhile stay.
    expect(closeKeyspaceRevocation(begun, t0, t0 + 86_400_000)?.keysNotBeforeMs).toBe(t0 + commitMsMax);
  });

  it('is closed once', () => {
    const begun = revokeKeyspaceKeys(keyspaceWith(), t0);
    const closed = closeKeyspaceRevocation(begun, t0, t0 + 40);
    expect(closed && closeKeyspaceRevocation(closed, t0, t0 + 50)).toBeUndefined();
  });
});

describe('the built-in keyspace', () => {
  it('allows every scope and is told by its name', () => {
    expect(builtin).toMatchObject({
      name: 'keyswarm',
      prefix: 'keyswarm',
      allowedScopes: ['*'],
      leaseSeconds: 30,
    });
    expect(isBuiltinKeyspace(builtin)).toBe(true);
    expect(isBuiltinKeyspace(keyspaceWith())).toBe(false);
  });

  it('can not be changed so that nobody could manage any more', () => {
    expect(faultOf(() => suspendKeyspace(builtin, t0))).toBe('builtin_protected id');
    expect(faultOf(() => updateKeyspace(builtin, { allowedScopes: ['a'] }, t0))).toBe(
      'builtin_protected /allowed_scopes',
    );
    expect(faultOf(() => revokeKeyspaceKeys(builtin, t0))).toBe('builtin_protected id');
    expect(updateKeyspace(builtin, { leaseSeconds: 2 }, t0).leaseSeconds).toBe(2);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { faultOf } from './fault-of.arbitrary.ts';
import { type CreateOwner, createOwner, resumeOwner, revokeOwnerKeys, suspendOwner } from './owner.ts';
import { issued, ownerId, ownerWith, rotated, t0, workspaceId } from './records.arbitrary.ts';

describe('an owner', () => {
  const wish: CreateOwner = { id: ownerId, workspaceId, kind: 'service', externalId: 'billing' };

  it('is suspended and resumed, one revision at a time', () => {
    const suspended = suspendOwner(ownerWith(), t0);
    expect(suspended).toMatchObject({ state: 'suspended', revision: 2 });
    expect(resumeOwner(suspended, t0)).toMatchObject({ state: 'active', revision: 3 });
    expect(faultOf(() => suspendOwner(suspended, t0))).toBe('already_suspended id');
    expect(faultOf(() => resumeOwner(ownerWith(), t0))).toBe('not_suspended id');
  });

  it.each([
    ['no external id', { externalId: '' }, 'invalid_field /owner/external_id'],
    ['a long external id', { externalId: 'x'.repeat(257) }, 'invalid_field /owner/external_id'],
    ['U+0000', { externalId: '\u0000' }, 'invalid_field /owner/external_id'],
    ['half a surrogate pair', { externalId: '\ud800' }, 'invalid_field /owner/external_id'],
    ['another kind', { kind: JSON.parse('"robot"') }, 'invalid_field /owner/kind'],
  ])('is refused with %s', (_, change, expected) => {
    expect(faultOf(() => createOwner({ ...wish, ...change }, t0))).toBe(expected);
  });

  it('has every version revoked that was minted before, and none that is minted after, whatever the clocks show', () => {
    const steps = fc.array(
      fc.record({ act: fc.constantFrom('mint', 'revoke'), nowMs: fc.integer({ min: t0, max: t0 + 5 }) }),
      { maxLength: 12 },
    );
    checkProperty(
      fc.property(steps, (acts) => {
        let owner = ownerWith();
        let clockMs = 0;
        let minted: readonly { readonly mintedAtMs: number; readonly revoked: boolean }[] = [];
        for (const { act, nowMs } of acts) {
          // A watermark is dated by a clock that has not gone back behind a minting; a minting by any clock.
          if (act === 'revoke') {
            owner = revokeOwnerKeys(owner, Math.max(nowMs, clockMs));
            minted = minted.map((version) => ({ ...version, revoked: true }));
          } else {
            clockMs = Math.max(clockMs, nowMs);
            const key = issued({ nowMs, ownerKeysNotBeforeMs: owner.keysNotBeforeMs });
            const mintedAtMs = key.versions[0]?.mintedAtMs ?? Number.NaN;
            minted = [...minted, { mintedAtMs, revoked: false }];
          }
          for (const version of minted) {
            const reached = owner.keysNotBeforeMs !== null && version.mintedAtMs <= owner.keysNotBeforeMs;
            expect(reached).toBe(version.revoked);
          }
        }
      }),
      process.env,
    );
  });

  it('lets a key that was caught be rotated out of it', () => {
    const owner = revokeOwnerKeys(ownerWith(), t0);
    const key = rotated(issued(), t0, { ownerKeysNotBeforeMs: owner.keysNotBeforeMs });
    expect(key.versions[0]?.mintedAtMs).toBeLessThanOrEqual(owner.keysNotBeforeMs ?? 0);
    expect(key.versions[1]?.mintedAtMs).toBeGreaterThan(owner.keysNotBeforeMs ?? 0);
  });
});

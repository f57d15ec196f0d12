import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { judge, newStanding, type Standing } from './judge.ts';
import type { VerdictCode } from './verdict.ts';

const standingThatPasses: Standing = {
  keyspaceMatches: true,
  keyState: 'active',
  versionState: 'active',
  versionRetiresAtMs: Number.POSITIVE_INFINITY,
  mintedAtMs: 1000,
  expiresAtMs: Number.POSITIVE_INFINITY,
  notBeforeMs: Number.NEGATIVE_INFINITY,
  ownerSuspended: false,
  ownerKeysNotBeforeMs: Number.NEGATIVE_INFINITY,
  keyspaceSuspended: false,
  keyspaceKeysNotBeforeMs: Number.NEGATIVE_INFINITY,
  scopesCovered: true,
  lacksSignature: false,
  parentRefusal: 'none',
  isEnrollment: false,
};

const earliest = 5000;
const latest = 5010;

/** Each way to be refused, alone. In the order of judgement: the first that applies is the verdict. */
const refusals: readonly (readonly [VerdictCode, Partial<Standing>])[] = [
  ['wrong_keyspace', { keyspaceMatches: false }],
  ['revoked', { keyState: 'revoked' }],
  ['revoked', { parentRefusal: 'revoked' }],
  ['revoked', { ownerKeysNotBeforeMs: 1000 }],
  ['revoked', { keyspaceKeysNotBeforeMs: 1000 }],
  ['expired', { expiresAtMs: latest }],
  ['expired', { versionState: 'retired' }],
  ['expired', { versionState: 'grace', versionRetiresAtMs: latest }],
  ['suspended', { keyState: 'suspended' }],
  ['suspended', { ownerSuspended: true }],
  ['suspended', { keyspaceSuspended: true }],
  ['suspended', { parentRefusal: 'suspended' }],
  ['not_yet_valid', { notBeforeMs: earliest + 1 }],
  ['signature_required', { lacksSignature: true }],
  ['insufficient_scope', { scopesCovered: false }],
  ['insufficient_scope', { isEnrollment: true }],
];

describe('a verdict', () => {
  it('is valid only when nothing speaks against it', () => {
    expect(judge(standingThatPasses, earliest, latest)).toBe('valid');
  });

  it.each(refusals)('is %s for %o', (code, change) => {
    expect(judge({ ...standingThatPasses, ...change }, earliest, latest)).toBe(code);
  });

  it('names the first reason in the order of judgement when several apply', () => {
    checkProperty(
      fc.property(fc.subarray([...refusals.keys()], { minLength: 1 }), (chosen) => {
        // Later rows first, so that where two set the same field, the earlier and graver one stays.
        const changes = [...chosen].sort((a, b) => b - a).map((at) => refusals[at]?.[1] ?? {});
        const standing: Standing = Object.assign({}, standingThatPasses, ...changes);
        expect(judge(standing, earliest, latest)).toBe(refusals[Math.min(...chosen)]?.[0]);
      }),
      process.env,
    );
  });

  it('ends at the latest instant it may be, and begins at the earliest it must be', () => {
    const at = (change: Partial<Standing>): VerdictCode =>
      judge({ ...standingThatPasses, ...change }, earliest, latest);
    expect(at({ expiresAtMs: latest + 1 })).toBe('valid');
    expect(at({ expiresAtMs: latest })).toBe('expired');
    expect(at({ notBeforeMs: earliest })).toBe('valid');
    expect(at({ notBeforeMs: earliest + 1 })).toBe('not_yet_valid');
    expect(at({ versionState: 'grace', versionRetiresAtMs: latest + 1 })).toBe('valid');
    expect(at({ versionState: 'grace', versionRetiresAtMs: latest })).toBe('expired');
    expect(at({ ownerKeysNotBeforeMs: 999 })).toBe('valid');
    expect(at({ keyspaceKeysNotBeforeMs: 999 })).toBe('valid');
  });

  it('is never valid when a time is no number', () => {
    const names = [
      'mintedAtMs',
      'expiresAtMs',
      'notBeforeMs',
      'ownerKeysNotBeforeMs',
      'keyspaceKeysNotBeforeMs',
    ] as const;
    for (const name of names) {
      expect(judge({ ...standingThatPasses, [name]: Number.NaN }, earliest, latest)).not.toBe('valid');
    }
    const inGrace: Standing = {
      ...standingThatPasses,
      versionState: 'grace',
      versionRetiresAtMs: Number.NaN,
    };
    expect(judge(inGrace, earliest, latest)).toBe('expired');
    expect(judge({ ...standingThatPasses, expiresAtMs: 9e15 }, earliest, Number.NaN)).toBe('expired');
    expect(judge(standingThatPasses, Number.NaN, latest)).toBe('not_yet_valid');
  });

  it('is refused by a scratch that has not been filled, whatever single field is', () => {
    expect(judge(newStanding(), earliest, latest)).toBe('wrong_keyspace');
    for (const name of Object.keys(standingThatPasses) as (keyof Standing)[]) {
      const partly = { ...newStanding(), [name]: standingThatPasses[name] };
      expect(judge(partly, earliest, latest)).not.toBe('valid');
    }
  });

  it('is not made valid by a wider clock', () => {
    checkProperty(
      fc.property(fc.subarray([...refusals.keys()]), fc.nat(50), fc.nat(50), (chosen, before, after) => {
        const standing: Standing = Object.assign(
          {},
          standingThatPasses,
          ...chosen.map((at) => refusals[at]?.[1]),
        );
        if (judge(standing, earliest, latest) !== 'valid') {
          expect(judge(standing, earliest - before, latest + after)).not.toBe('valid');
        }
      }),
      process.env,
    );
  });
});

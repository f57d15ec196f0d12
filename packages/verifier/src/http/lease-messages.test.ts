import { Fault, timeMsMax } from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { downstreamMax, usesPerAskMax } from '../limits.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { keyId, keyspaceId } from '../testing/sample-facts.arbitrary.ts';
import {
  decodeLeaseAnswer,
  decodeLeaseRequest,
  encodeLeaseAnswer,
  encodeLeaseRequest,
  verifierKinds,
} from './lease-messages.ts';
import { BadAnswer } from './relay-errors.ts';

const heads = fc.record({
  epoch: fc.nat(),
  seqs: fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 256 }),
});
const ageMs = fc.option(fc.double({ min: 0, max: 86_400_000, noNaN: true }), { nil: undefined });
const identity = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
  name: fc.stringMatching(/^[\p{L} ]{1,128}$/u),
  kind: fc.constantFrom(...verifierKinds),
});
const use = fc.record({
  keyId: fc.nat(1_000).map(keyId),
  keyspaceId: fc.nat(1_000).map(keyspaceId),
  version: fc.integer({ min: 1, max: 2_147_483_647 }),
  atMs: fc.double({ min: 0, max: timeMsMax, noNaN: true, noDefaultInfinity: true }),
});
const request = fc.record({
  verifier: identity,
  ask: fc.record(
    {
      applied: fc.option(heads, { nil: undefined }),
      leaseAgeMs: ageMs,
      fresh: fc.boolean(),
      uses: fc.array(use, { maxLength: 4 }),
    },
    { requiredKeys: ['applied', 'leaseAgeMs', 'fresh'] },
  ),
  downstream: fc.array(
    fc
      .tuple(identity, fc.option(heads, { nil: undefined }), ageMs)
      .map(([who, applied, leaseAgeMs]) => ({ ...who, applied, leaseAgeMs })),
    { maxLength: 3 },
  ),
});

const asked = {
  verifier: { id: 'a', name: 'a', kind: 'library' },
  applied: { epoch: 1, seqs: [1] },
  lease_age_ms: 5,
  fresh: true,
};

const useAsked = { key_id: keyId(1), keyspace_id: keyspaceId(1), version: 1, at_ms: 5 };

describe('the lease as JSON', () => {
  it('comes out of a request as it went in', () => {
    checkProperty(
      fc.property(request, (sent) => {
        expect(decodeLeaseRequest(JSON.parse(encodeLeaseRequest(sent)))).toEqual(sent);
      }),
      process.env,
      200,
    );
  });

  it('comes out of an answer as it went in', () => {
    checkProperty(
      fc.property(
        heads,
        fc.double({ min: 0, max: 86_400_000, noNaN: true }),
        fc.boolean(),
        (at, age, primary) => {
          const answer = { ...at, ageMs: age === 0 ? 0 : age, fromPrimary: primary, behind: [0] };
          const wall = { earliestMs: 5, latestMs: 6 };
          expect(decodeLeaseAnswer(JSON.parse(encodeLeaseAnswer(answer, wall)))).toEqual({ ...answer, wall });
        },
      ),
      process.env,
      200,
    );
  });

  it.each([
    ['', []],
    ['', null],
    ['/verifier', { ...asked, verifier: 5 }],
    ['/verifier/id', { ...asked, verifier: { ...asked.verifier, id: 'a b' } }],
    ['/verifier/id', { ...asked, verifier: { ...asked.verifier, id: 'x'.repeat(65) } }],
    ['/verifier/name', { ...asked, verifier: { ...asked.verifier, name: 'a\nb' } }],
    ['/verifier/name', { ...asked, verifier: { ...asked.verifier, name: '\ud800' } }],
    ['/verifier/region', { ...asked, verifier: { ...asked.verifier, region: '' } }],
    ['/verifier/kind', { ...asked, verifier: { ...asked.verifier, kind: 'server' } }],
    ['/applied/epoch', { ...asked, applied: { epoch: -1, seqs: [1] } }],
    ['/applied/seqs', { ...asked, applied: { epoch: 1, seqs: Array(257).fill(0) } }],
    ['/applied/seqs', { ...asked, applied: { epoch: 1, seqs: [0.5] } }],
    ['/lease_age_ms', { ...asked, lease_age_ms: -1 }],
    ['/lease_age_ms', { ...asked, lease_age_ms: '5' }],
    ['/fresh', { ...asked, fresh: 'yes' }],
    ['/keyspaces', { ...asked, keyspaces: 'all' }],
    ['/keyspaces', { ...asked, keyspaces: Array(257).fill('a') }],
    ['/downstream', { ...asked, downstream: Array(downstreamMax + 1).fill(asked.verifier) }],
    ['/uses', { ...asked, uses: Array(usesPerAskMax + 1).fill(useAsked) }],
    ['/uses/0/key_id', { ...asked, uses: [{ ...useAsked, key_id: keyspaceId(1) }] }],
    ['/uses/0/keyspace_id', { ...asked, uses: [{ ...useAsked, keyspace_id: 'orders' }] }],
    ['/uses/0/version', { ...asked, uses: [{ ...useAsked, version: 0 }] }],
    ['/uses/0/at_ms', { ...asked, uses: [{ ...useAsked, at_ms: '5' }] }],
    ...[{ keyspaces: 'all' }, { keyspaces: ['orders'] }, { keyspaces: Array(17).fill(keyspaceId(1)) }].map(
      (reach): [string, object] => [
        '/downstream/0/reach/keyspaces',
        { ...asked, downstream: [{ ...asked.verifier, reach }] },
      ],
    ),
    [
      '/downstream/0/reach/without',
      { ...asked, downstream: [{ ...asked.verifier, reach: { without: [1] } }] },
    ],
    ['/downstream/0/kind', { ...asked, downstream: [{ id: 'a', name: 'a' }] }],
  ])('refuses a request by the field that is wrong: %s', (field, body) => {
    const refused = (() => {
      try {
        return decodeLeaseRequest(body);
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toBeInstanceOf(Fault);
    expect(refused).toMatchObject({ code: 'invalid_field', field });
  });

  it('never throws anything but what it says, whatever comes', () => {
    checkProperty(
      fc.property(fc.jsonValue(), (json) => {
        expect(() => decodeLeaseRequest(json)).toThrow(Fault);
        expect(() => decodeLeaseAnswer(json)).toThrow(BadAnswer);
      }),
      process.env,
      500,
    );
  });
});

import {
  decodeKeyFact,
  decodeKeyspaceFact,
  decodeOwnerFact,
  decodeSigningKeyFact,
  encodeKeyFact,
  encodeKeyspaceFact,
  encodeOwnerFact,
  encodeSigningKeyFact,
} from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fact } from '../feed/fact.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import {
  keyFact,
  keyspaceFact,
  ownerFact,
  ownerId,
  startMs,
  versionFact,
} from '../testing/sample-facts.arbitrary.ts';
import { BadFrame } from './bad-frame.ts';
import { FactsDecoder } from './decode-facts.ts';
import { FactsEncoder } from './encode-facts.ts';
import { frameHeadBytes } from './frames.ts';
import { FactList } from './testing/wire-bench.ts';

function payloadOf(facts: readonly Fact[]): Uint8Array {
  const encoder = new FactsEncoder();
  for (const fact of facts) expect(encoder.add(fact)).toBeUndefined();
  return encoder.finish()?.subarray(frameHeadBytes) ?? new Uint8Array();
}

function read(...payloads: readonly Uint8Array[]): FactList {
  const list = new FactList();
  const decoder = new FactsDecoder(list);
  for (const payload of payloads) decoder.read(payload);
  return list;
}

const key = (number: number, change = {}): Fact => ({ kind: 'key', fact: keyFact(number, change) });
const times = [0, 1, startMs, 253_402_300_799_999, null];
const wholes = [1, 127, 128, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER];
const time = fc.constantFrom(...times);
const whole = fc.constantFrom(...wholes);
const versions = fc
  .tuple(fc.nat(2), time, fc.constantFrom('grace', 'retired'), fc.nat(1_000_000))
  .map(([older, end, state, first]) => [
    ...Array.from({ length: older }, (_, at) =>
      versionFact(first, first + at + 1, {
        state: at === older - 1 && state === 'grace' ? 'grace' : 'retired',
        retiresAtMs: state === 'grace' ? (end ?? startMs) : end,
      }),
    ),
    versionFact(first, first + older + 1, { mintedAtMs: end ?? 0 }),
  ]);
const anyFact: fc.Arbitrary<Fact> = fc.oneof(
  fc
    .record({
      number: fc.nat(20),
      revision: whole,
      state: fc.constantFrom('active', 'suspended', 'revoked'),
      notBeforeMs: time,
      expiresAtMs: time,
      versions,
      scopes: fc.constantFrom([], ['orders:*'], ['a:b', 'orders:read']),
      owner: fc.nat(3),
    })
    .map(({ number, owner, ...change }) => key(number, { ...change, ownerId: ownerId(owner) })),
  fc
    .record({
      number: fc.nat(3),
      revision: whole,
      kind: fc.constantFrom('service', 'integration', 'user'),
      externalId: fc.constantFrom('', 'é', '\ufeffbom', 'x'.repeat(256), '🗝'.repeat(256)),
      state: fc.constantFrom('active', 'suspended'),
      keysNotBeforeMs: time,
    })
    .map(({ number, ...change }): Fact => ({ kind: 'owner', fact: ownerFact(number, change) })),
  fc
    .record({
      number: fc.nat(3),
      revision: whole,
      leaseMs: fc.integer({ min: 1000, max: 600_000 }),
      state: fc.constantFrom('active', 'suspended'),
      keysNotBeforeMs: time,
    })
    .map(({ number, ...change }): Fact => ({ kind: 'keyspace', fact: keyspaceFact(number, change) })),
);
const someFacts = fc.array(anyFact, { minLength: 1, maxLength: 12 });

/** Would core have taken it out of JSON as it is? */
function expectSound({ kind, fact }: Fact): void {
  if (kind === 'key') expect(decodeKeyFact(encodeKeyFact(fact))).toEqual(fact);
  else if (kind === 'owner') expect(decodeOwnerFact(encodeOwnerFact(fact))).toEqual(fact);
  else if (kind === 'signingKey') expect(decodeSigningKeyFact(encodeSigningKeyFact(fact))).toEqual(fact);
  else expect(decodeKeyspaceFact(encodeKeyspaceFact(fact))).toEqual(fact);
}

describe('facts in a frame', () => {
  it('come out as they went in, whatever they say', () => {
    checkProperty(
      fc.property(someFacts, (facts) => {
        expect(read(payloadOf(facts)).facts).toEqual(facts);
      }),
      process.env,
    );
  });

  it('hold to the rules of core even where the checksum was made for a forgery', () => {
    const forgeries = fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { minLength: 1, maxLength: 3 });
    let taken = 0;
    checkProperty(
      fc.property(someFacts, forgeries, (facts, changes) => {
        const payload = Uint8Array.from(payloadOf(facts));
        for (const [at, value] of changes) payload[at % payload.length] = value;
        const list = new FactList();
        try {
          new FactsDecoder(list).read(payload);
        } catch (error) {
          expect(error).toBeInstanceOf(BadFrame);
        }
        for (const fact of list.facts) expectSound(fact);
        taken += list.facts.length;
      }),
      process.env,
      1_500,
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('are refused wherever they are cut off within a fact', () => {
    const payload = payloadOf([key(1)]);
    const wholes = new Set([5]);
    // What is named before the key is of no account, and whole by itself.
    for (let length = 0; length < payload.length; length += 1) {
      const list = new FactList();
      try {
        new FactsDecoder(list).read(payload.subarray(0, length));
        wholes.add(length);
      } catch (error) {
        expect(error).toBeInstanceOf(BadFrame);
      }
      expect(list.facts).toEqual([]);
    }
    expect(wholes.size).toBe(4);
  });

  it('are refused out of their order, twice, or with one batch missing', () => {
    const encoder = new FactsEncoder();
    const payloads = [1, 2, 3].map((number) => {
      encoder.add(key(number));
      return encoder.finish()?.subarray(frameHeadBytes) ?? new Uint8Array();
    });
    const [first = new Uint8Array(), second = first, third = first] = payloads;
    expect(read(first, second, third).facts).toHaveLength(3);
    for (const order of [[second], [first, third], [first, first], [first, third, second]]) {
      expect(() => read(...order)).toThrow(BadFrame);
    }
  });

  it('keep nothing of the frame that they came in', () => {
    const payload = Buffer.from(payloadOf([key(1)]));
    const { facts } = read(payload);
    payload.fill(0);
    expect(facts).toEqual([key(1)]);
  });
});

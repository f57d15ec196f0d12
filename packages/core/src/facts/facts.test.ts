import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../encoding/json.ts';
import { AssertionBroken } from '../errors/assert.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { decodeKeyFact, decodeKeyspaceFact, decodeOwnerFact, isBadRow } from './decode-facts.ts';
import { decodeFeedRow } from './decode-feed-row.ts';
import {
  encodeEventData,
  encodeFeedRow,
  encodeKeyFact,
  encodeKeyspaceFact,
  encodeOwnerFact,
} from './encode-facts.ts';
import { feedRows, keyFacts, keyspaceFacts, ownerFacts } from './facts.arbitrary.ts';

const throughText = (value: JsonValue): unknown => JSON.parse(JSON.stringify(value));
const reasonOf = (read: object): string => (isBadRow(read) ? read.reason : '');

/** Every place in a JSON value, as a path of names and indices. */
function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => placesOf(member, [...path, name]))];
}

function changedAt(value: unknown, path: readonly string[], replacement: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return replacement;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value)
    ? [...value]
    : { ...(value as object) };
  const changed = changedAt(Reflect.get(copy, name), rest, replacement);
  if (changed === undefined && !Array.isArray(copy)) Reflect.deleteProperty(copy, name);
  else Reflect.set(copy, name, changed);
  return copy;
}

const junk = fc.oneof(
  fc.anything(),
  fc.constantFrom(
    undefined,
    null,
    '',
    '\u0000',
    '\ud800',
    -1,
    0,
    1.5,
    1e300,
    Number.NaN,
    {},
    [],
    true,
    'active',
  ),
  fc.string(),
);

describe('a feed row', () => {
  it('comes back from JSON as it was', () => {
    checkProperty(
      fc.property(feedRows, (row) => {
        expect(decodeFeedRow(throughText(encodeFeedRow(row)))).toEqual(row);
      }),
      process.env,
    );
  });

  it('is a value when it is bad, and never an exception, whatever is changed in it', () => {
    checkProperty(
      fc.property(feedRows, fc.nat(), junk, (row, place, replacement) => {
        const encoded = throughText(encodeFeedRow(row));
        const places = placesOf(encoded);
        const changed = changedAt(encoded, places[place % places.length] ?? [], replacement);
        const decoded = decodeFeedRow(changed);
        // What is still accepted must be exactly what it says it is.
        if (!isBadRow(decoded))
          expect(throughText(encodeFeedRow(decoded))).toEqual(throughText(changed as JsonValue));
        else expect(decoded.reason.length).toBeLessThan(200);
      }),
      process.env,
      2000,
    );
  });

  it('is bad when it is not a row at all', () => {
    checkProperty(
      fc.property(fc.anything(), (value) => isBadRow(decodeFeedRow(value))),
      process.env,
    );
  });

  it('is bad without any one of its members, or with one more', () => {
    checkProperty(
      fc.property(feedRows, fc.nat(), (row, place) => {
        const encoded = encodeFeedRow(row);
        const paths = placesOf(encoded).filter(
          (path) =>
            path.length > 0 &&
            path[0] !== 'data' &&
            // Traits, and each of them, are there where a key has them.
            !path.includes('traits') &&
            !(path[0] === 'keyspace' && path[1] === 'proof') &&
            !/^\d+$/.test(path.at(-1) ?? ''),
        );
        const path = paths[place % paths.length] ?? [];
        expect(isBadRow(decodeFeedRow(changedAt(encoded, path, undefined))), path.join('.')).toBe(true);
        expect(isBadRow(decodeFeedRow({ ...encoded, further: 1 }))).toBe(true);
      }),
      process.env,
    );
  });

  it('is bad when its parts do not speak of the same things', () => {
    checkProperty(
      fc.property(feedRows, feedRows, (row, other) => {
        fc.pre(row.key !== null && other.key !== null);
        const encoded = encodeFeedRow(row);
        const foreign = encodeFeedRow(other);
        const bad: readonly JsonObject[] = [
          { ...encoded, subject: foreign.subject ?? null },
          { ...encoded, key: foreign.key ?? null },
          { ...encoded, owner: foreign.owner ?? null },
          { ...encoded, keyspace: foreign.keyspace ?? null },
          { ...encoded, workspace_id: foreign.workspace_id ?? null },
          { ...encoded, key: null },
          { ...encoded, owner: null },
          { ...encoded, keyspace: null },
          { ...encoded, type: 'owner.suspended' },
          { ...encoded, type: 'keyspace.updated' },
        ];
        for (const [at, json] of bad.entries()) expect(isBadRow(decodeFeedRow(json)), String(at)).toBe(true);
      }),
      process.env,
      100,
    );
  });

  it('is bad in another format than this one', () => {
    checkProperty(
      fc.property(feedRows, (row) => isBadRow(decodeFeedRow({ ...encodeFeedRow(row), v: 2 }))),
      process.env,
      20,
    );
  });
});

describe('a single fact', () => {
  it('comes back from JSON as it was', () => {
    checkProperty(
      fc.property(keyFacts, ownerFacts, keyspaceFacts, (key, owner, keyspace) => {
        expect(decodeKeyFact(throughText(encodeKeyFact(key)))).toEqual(key);
        expect(decodeOwnerFact(throughText(encodeOwnerFact(owner)))).toEqual(owner);
        expect(decodeKeyspaceFact(throughText(encodeKeyspaceFact(keyspace)))).toEqual(keyspace);
      }),
      process.env,
    );
  });

  const [sample] = fc.sample(keyFacts, { numRuns: 1, seed: 1 });
  if (sample === undefined) throw new Error('no sample was drawn');
  const encodedVersion = {
    number: 1,
    fingerprint: '0'.repeat(32),
    state: 'active',
    minted_at_ms: 1,
    retires_at_ms: null,
  };
  const encoded = { ...encodeKeyFact({ ...sample, versions: [] }), versions: [encodedVersion] };

  it.each([
    ['no version', { versions: [] }],
    ['four versions', { versions: [1, 2, 3, 4].map((number) => ({ ...encodedVersion, number })) }],
    ['three live versions', { versions: [1, 2, 3].map((number) => ({ ...encodedVersion, number })) }],
    ['versions out of order', { versions: [2, 1].map((number) => ({ ...encodedVersion, number })) }],
    ['one version twice', { versions: [1, 1].map((number) => ({ ...encodedVersion, number })) }],
    ['an active version that retires', { versions: [{ ...encodedVersion, retires_at_ms: 5 }] }],
    ['a grace without an end', { versions: [{ ...encodedVersion, state: 'grace' }] }],
    ['a short fingerprint', { versions: [{ ...encodedVersion, fingerprint: '0'.repeat(30) }] }],
    ['a fingerprint in upper case', { versions: [{ ...encodedVersion, fingerprint: 'A'.repeat(32) }] }],
    ['a scope that is none', { scopes: ['A'] }],
    ['scopes out of order', { scopes: ['b', 'a'] }],
    ['a scope twice', { scopes: ['a', 'a'] }],
    ['too many scopes', { scopes: Array.from({ length: 65 }, (_, at) => `s${String(at).padStart(3, '0')}`) }],
    ['revision 0', { revision: 0 }],
    ['a revision in text', { revision: '1' }],
    ['half a millisecond', { expires_at_ms: 0.5 }],
    ['a time past the year 9999', { expires_at_ms: 253_402_300_800_000 }],
    ['a derived state', { state: 'expired' }],
  ])('is bad with %s', (_, change) => {
    expect(isBadRow(decodeKeyFact(encoded))).toBe(false);
    expect(isBadRow(decodeKeyFact({ ...encoded, ...change }))).toBe(true);
  });

  it('never tells a value in the reason why it is bad', () => {
    const secret = 'do-not-log-me';
    for (const name of Object.keys(encoded)) {
      const reason = reasonOf(decodeKeyFact({ ...encoded, [name]: secret }));
      expect(reason).not.toBe('');
      expect(reason).not.toContain(secret);
    }
  });
});

describe('the data of an event', () => {
  it('is small, shallow JSON, or the row is not written', () => {
    expect(encodeEventData({ reason: 'leaked', version: 2, left_out: undefined })).toEqual({
      reason: 'leaked',
      version: 2,
    });
    const bad: readonly unknown[] = [
      { a: '\u0000' },
      { a: '\ud800' },
      { a: Number.NaN },
      { a: 1n },
      { a: () => 1 },
      { a: new Date(0) },
      { a: 'x'.repeat(1025) },
      { a: [[[[['deep']]]]] },
      { a: new Array(300).fill(1) },
      { '\u0000': 1 },
    ];
    for (const data of bad) {
      expect(() => encodeEventData(data as Readonly<Record<string, unknown>>)).toThrow(AssertionBroken);
    }
  });
});

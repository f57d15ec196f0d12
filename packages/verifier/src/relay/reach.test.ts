import { idFromUuidBytes, type KeyspaceId } from '@keyswarm/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formerReachesMax, reachNamedMax } from '../limits.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { HeldReach } from './held-reach.ts';
import { coversReach, joinedReach, type Reach, reachesKeyspace, wholeReach } from './reach.ts';

const keyspace = (number: number): KeyspaceId => idFromUuidBytes('ks', new Uint8Array(16).fill(number));
const some = Array.from({ length: 5 }, (_, number) => keyspace(number));
const ids = fc.subarray(some).map((list) => [...list].sort());
const reach: fc.Arbitrary<Reach> = fc.record({ keyspaces: ids, without: ids }, { requiredKeys: [] });
const reached = (one: Reach) => some.filter((id) => reachesKeyspace(one, id));

test('what several reach together leaves out nothing that one of them reaches', () => {
  checkProperty(
    fc.property(fc.array(reach, { minLength: 1, maxLength: 4 }), (all) => {
      const together = new Set(reached(joinedReach(all)));
      for (const id of all.flatMap(reached)) expect(together.has(id)).toBe(true);
    }),
    process.env,
    500,
  );
});

test('one that is said to cover another reaches all that the other does, of keyspaces to come as well', () => {
  const toCome = keyspace(9);
  checkProperty(
    fc.property(reach, reach, (outer, inner) => {
      if (!coversReach(outer, inner)) return;
      for (const id of [...some, toCome]) {
        if (reachesKeyspace(inner, id)) expect(reachesKeyspace(outer, id)).toBe(true);
      }
    }),
    process.env,
    500,
  );
});

test('a list that is too long to be kept for each verifier is everything', () => {
  const long = Array.from({ length: reachNamedMax + 1 }, (_, number) => keyspace(number + 10));
  const halves = [long.slice(0, 9), long.slice(9)].map((keyspaces) => ({ keyspaces }));
  expect(joinedReach(halves)).toEqual(wholeReach);
  expect(new HeldReach({ keyspaces: long }).all).toEqual(wholeReach);
});

const [a, b, c] = some as [KeyspaceId, KeyspaceId, KeyspaceId];
const only = (...keyspaces: KeyspaceId[]): Reach => ({ keyspaces });

test('a verifier that may read less reaches what it might before until no lease of then can live', () => {
  const held = new HeldReach(only(a, b));
  held.take(only(a), 0, 100);
  expect(reached(held.all)).toEqual([a, b]);
  held.take(only(a), 99, 199);
  expect(reached(held.all)).toEqual([a, b]);
  held.take(only(a), 100, 200);
  expect(reached(held.all)).toEqual([a]);
});

test('going to and fro between two keyspaces keeps nothing of a third past its time', () => {
  const held = new HeldReach(only(a, b, c));
  for (let nowMs = 0; nowMs < 200; nowMs += 10) held.take(only(nowMs % 20 === 0 ? a : b), nowMs, nowMs + 100);
  expect(reached(held.all)).toEqual([a, b]);
});

test('what a verifier reaches is the same object until it changes', () => {
  const held = new HeldReach(only(a));
  const before = held.all;
  held.take(only(a), 1, 101);
  expect(held.all).toBe(before);
  held.take(only(a, b), 2, 102);
  expect(held.all).not.toBe(before);
});

test('to be narrowed too often is refused; to grow is not', () => {
  const narrowed = new HeldReach(wholeReach);
  const id = (number: number) => keyspace(number + 20);
  const narrow = (count: number) => {
    for (let number = 0; number < count; number += 1) narrowed.take(only(id(number)), number, number + 1_000);
  };
  expect(() => narrow(formerReachesMax + 2)).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  const grown = new HeldReach(only());
  for (let count = 1; count < reachNamedMax; count += 1) {
    grown.take(only(...Array.from({ length: count }, (_, number) => id(number))), count, count + 1_000);
  }
  expect(grown.all.keyspaces).toHaveLength(reachNamedMax - 1);
});

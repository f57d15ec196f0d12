import { useRepeatMs } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { firstUseToldMs } from '../limits.ts';
import { createResidentVerifier } from '../resident-verifier.ts';
import {
  keyFact,
  keyId,
  keyString,
  readyVerifier,
  startMs,
  versionFact,
} from '../testing/sample-facts.arbitrary.ts';

const hourMs = 3_600_000;

/** Key `number`, its first version in grace for an hour and its second one active. */
const rotating = (number: number, more: Parameters<typeof keyFact>[1] = {}) =>
  keyFact(number, {
    versions: [
      versionFact(number, 1, { state: 'grace', retiresAtMs: startMs + hourMs }),
      versionFact(number, 2),
    ],
    ...more,
  });

function benchOf(keys = 1) {
  const { verifier, clock } = readyVerifier();
  for (let number = 1; number <= keys; number += 1) verifier.applyKey(rotating(number));
  const use = (number: number, version: number) => {
    // Whatever has passed, it is leased.
    verifier.renewLease(clock.monotonicMs());
    expect(verifier.verify(keyString(number, version), {})).toMatchObject({ valid: true, version });
  };
  const take = (countMax = 100) =>
    verifier.takeUses(countMax).map(({ keyId: id, version, atMs }) => [id, version, atMs - startMs]);
  return { verifier, clock, use, take };
}

describe('uses of a rotating key', () => {
  it('are told: the old version and the first of the new one, each once however often it was verified', () => {
    const { use, take, clock } = benchOf();
    for (let round = 0; round < 5; round += 1) {
      use(1, 1);
      use(1, 2);
      clock.advance(1);
    }
    expect(take()).toEqual([
      [keyId(1), 2, 0],
      [keyId(1), 1, 4],
    ]);
    expect(take()).toEqual([]);
  });

  it('of a version that is always in use are told once in so long, the last of them for certain', () => {
    const { use, take, clock } = benchOf();
    use(1, 1);
    expect(take()).toEqual([[keyId(1), 1, 0]]);
    clock.advance(10);
    use(1, 1);
    clock.advance(useRepeatMs - 11);
    expect(take()).toEqual([]);
    clock.advance(1);
    expect(take()).toEqual([[keyId(1), 1, 10]]);
    clock.advance(useRepeatMs);
    expect(take(), 'it is silent').toEqual([]);
    clock.advance(1);
    use(1, 1);
    expect(take(), 'after a silence at once').toEqual([[keyId(1), 1, 2 * useRepeatMs + 1]]);
  });

  it('are handed out in bounded parts, none of them lost and none twice', () => {
    const { use, take } = benchOf(1000);
    for (let number = 1; number <= 1000; number += 1) {
      use(number, 1);
      use(number, 2);
    }
    const told = new Set<string>();
    for (let part = take(300); part.length > 0; part = take(300)) {
      expect(part.length).toBeLessThanOrEqual(300);
      for (const [id, version] of part) {
        expect(told.has(`${id} ${version}`)).toBe(false);
        told.add(`${id} ${version}`);
      }
    }
    expect(told.size).toBe(2000);
  });

  it('are none of a key that does not rotate, nor of one whose rotation was over a day ago', () => {
    const { verifier, clock, use, take } = benchOf(0);
    verifier.applyKey(keyFact(1));
    use(1, 1);
    expect(take()).toEqual([]);
    verifier.applyKey(rotating(2, { expiresAtMs: null }));
    clock.advance(hourMs + firstUseToldMs);
    use(2, 2);
    expect(take()).toEqual([]);
  });

  it('are told of the new version also after the grace has ended by time', () => {
    const { clock, use, take } = benchOf();
    clock.advance(hourMs + 1);
    use(1, 2);
    expect(take()).toEqual([[keyId(1), 2, hourMs + 1]]);
  });

  it('of a version that was finished meanwhile are forgotten with it', () => {
    const { verifier, use, take } = benchOf();
    use(1, 1);
    const retired = versionFact(1, 1, { state: 'retired', retiresAtMs: startMs });
    verifier.applyKey(keyFact(1, { revision: 2, versions: [retired, versionFact(1, 2)] }));
    expect(take()).toEqual([]);
  });

  it('outlive the table, when a snapshot takes its place', () => {
    const { verifier, use, take } = benchOf();
    use(1, 1);
    use(1, 2);
    const facts = [...verifier.facts()];
    const load = verifier.startSnapshot();
    for (const { kind, fact } of facts) {
      if (kind === 'key') load.applyKey(fact);
      else if (kind === 'owner') load.applyOwner(fact);
      else if (kind === 'keyspace') load.applyKeyspace(fact);
    }
    load.finish(verifier.applied());
    expect(take()).toEqual([
      [keyId(1), 2, 0],
      [keyId(1), 1, 0],
    ]);
  });

  it('are none before there is a table', () => {
    const { clock } = readyVerifier();
    expect(createResidentVerifier({ clock }).takeUses(10)).toEqual([]);
  });
});

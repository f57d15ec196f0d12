import type { KeyFact, VersionFact } from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import type { Fact } from '../feed/fact.ts';
import { createResidentVerifier } from '../resident-verifier.ts';
import { Authority, type Change, changeKinds, textOf } from '../testing/authority.arbitrary.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { copyOf } from '../testing/copy-of-verifier.arbitrary.ts';
import {
  hourMs,
  keyFact,
  keyRow,
  keyString,
  keyspaceFact,
  keyspaceId,
  ownerFact,
  ownerId,
  readyVerifier,
  sampleSeed,
  startMs,
  versionFact,
  workspaceId,
} from '../testing/sample-facts.arbitrary.ts';
import type { ResidentVerifier } from '../verifier-port.ts';

const number = fc.nat({ max: 59 });
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...changeKinds),
  which: number,
  how: number,
});
const times = [0, hourMs - 1, hourMs, 2 * hourMs, 2 * hourMs + 1, 40 * hourMs];
/** Two that are silent would agree, too. */
const codesSeen = new Set<string>();
const requirements = [
  {},
  { workspaceId: workspaceId(1) },
  { workspaceId: workspaceId(2) },
  { keyspace: 'orders-1', scopes: ['orders:read'] },
  { scopes: ['region:1'] },
];

function applyAll(
  verifier: ResidentVerifier,
  authority: Authority,
  from: readonly number[],
): readonly number[] {
  for (const [shard, rows] of authority.log.entries())
    for (const row of rows.slice(from[shard])) verifier.applyFacts(row);
  return authority.log.map((rows) => rows.length);
}

function pair() {
  const clock = new ManualVerifierClock(startMs);
  const verifier = createResidentVerifier({ clock, shards: 3, indexSeed: sampleSeed });
  verifier.startSnapshot().finish({ epoch: 1, seqs: [0, 0, 0] });
  return { verifier, clock };
}

/** Both say the same of every string, at every time and under every requirement. */
function expectSame(
  one: ResidentVerifier,
  other: ResidentVerifier,
  clock: ReturnType<typeof pair>['clock'],
): void {
  for (const timeMs of times) {
    clock.advance(timeMs - (clock.wallMs() - startMs));
    one.renewLease(clock.monotonicMs());
    other.renewLease(clock.monotonicMs());
    for (let at = 0; at < 48; at += 1) {
      for (const required of requirements) {
        const said = other.verify(textOf(at), required);
        codesSeen.add(said.code);
        expect(said, `string ${at} after ${timeMs} ms`).toEqual(one.verify(textOf(at), required));
      }
    }
  }
}

const keys = (facts: Iterable<Fact>): KeyFact[] =>
  [...facts].flatMap((each) => (each.kind === 'key' ? [each.fact] : []));

describe('facts read out of a table', () => {
  it('make a table that says the same of every key string, at every time, and takes later facts alike', () => {
    checkProperty(
      fc.property(
        fc.array(change, { maxLength: 40 }),
        fc.array(change, { maxLength: 12 }),
        (before, after) => {
          const authority = new Authority();
          const { verifier, clock } = pair();
          for (const which of [0, 1, 2]) {
            authority.make({ kind: 'owner', which, how: 1 });
            authority.make({ kind: 'keyspace', which, how: 1 });
          }
          for (const each of before) authority.make(each);
          const applied = applyAll(verifier, authority, [0, 0, 0]);
          const copy = copyOf(verifier, clock);
          // Owners and keyspaces without keys come with the row of their first key; these rows carry some only.
          expect(copy.stats().versions).toBe(verifier.stats().versions);
          const again = copyOf(copy, clock);
          expect([...again.facts()]).toEqual([...copy.facts()]);
          for (const each of after) authority.make(each);
          for (const row of authority.log.flat().filter((row) => row.owner !== null)) {
            for (const each of [verifier, copy]) if (row.owner !== null) each.applyOwner(row.owner);
          }
          expectSame(verifier, copy, clock);
          applyAll(verifier, authority, applied);
          applyAll(copy, authority, applied);
          expectSame(verifier, copy, clock);
        },
      ),
      process.env,
      60,
    );
    const codes = [
      'valid',
      'revoked',
      'expired',
      'suspended',

      'insufficient_scope',
      'unknown',
    ];
    expect([...codesSeen]).toEqual(expect.arrayContaining(codes));
  });

  it('keep both ends of a version apart only as far as verdicts do', () => {
    const { verifier, clock } = readyVerifier();
    const version = (at: number, changed: Partial<VersionFact>) => versionFact(1, at, changed);
    const grace = { state: 'grace', retiresAtMs: startMs + hourMs } as const;
    const facts = [
      keyFact(1, { versions: [version(1, grace), version(2, {})] }),
      keyFact(1, { expiresAtMs: startMs + 5, versions: [version(1, grace), version(2, {})] }),
      keyFact(1, { expiresAtMs: null, versions: [version(1, grace)] }),
      keyFact(1, { versions: [version(1, { state: 'retired' })] }),
    ];
    for (const [at, fact] of facts.entries()) {
      verifier.applyKey({ ...fact, revision: at + 1 });
      const [read] = keys(verifier.facts());
      const ends = (each: KeyFact | undefined) =>
        each?.versions.map(({ retiresAtMs }) =>
          Math.min(retiresAtMs ?? Number.POSITIVE_INFINITY, each.expiresAtMs ?? Number.POSITIVE_INFINITY),
        );
      expect(ends(read)).toEqual(ends(fact));
      expect(keys(copyOf(verifier, clock).facts())).toEqual([read]);
    }
  });

  it('hold numbers that don’t fit their bits, not-befores, and two keys with one secret', () => {
    const { verifier, clock } = readyVerifier();
    const fingerprint = versionFact(1).fingerprint;
    const wide = { revision: 2 ** 40, notBeforeMs: startMs + 1, versions: [versionFact(1, 2 ** 21)] };
    verifier.applyKey(keyFact(1, wide));
    verifier.applyKey(keyFact(2, { versions: [versionFact(2, 1, { fingerprint })] }));
    verifier.applyKey(keyFact(3, { versions: [versionFact(3, 1, { fingerprint })] }));
    const read = keys(verifier.facts());
    expect(read[0]).toEqual(keyFact(1, wide));
    expect(read).toHaveLength(3);
    expect(keys(copyOf(verifier, clock).facts())).toEqual(read);
  });

  it('are of one workspace, or of some keyspaces, and of the owners of their keys alone', () => {
    const { verifier } = readyVerifier();
    verifier.applyKeyspace(keyspaceFact(2, { workspaceId: workspaceId(2) }));
    for (const owner of [2, 3, 4]) verifier.applyOwner(ownerFact(owner, { revision: 3, state: 'suspended' }));
    verifier.applyKey(keyFact(1));
    verifier.applyKey(keyFact(2, { keyspaceId: keyspaceId(2), ownerId: ownerId(2) }));
    verifier.applyKey(keyFact(3, { keyspaceId: keyspaceId(3), ownerId: ownerId(3) }));
    const idsOf = (facts: Iterable<Fact>) => [...facts].map(({ fact }) => fact.id);
    const second = [keyspaceId(2), ownerId(2), keyFact(2).id];
    expect(idsOf(verifier.facts({ workspaceId: workspaceId(2) }))).toEqual(second);
    expect(idsOf(verifier.facts({ keyspaces: new Set([keyspaceId(2)]) }))).toEqual(second);
    expect(
      idsOf(verifier.facts({ workspaceId: workspaceId(1), keyspaces: new Set([keyspaceId(2)]) })),
    ).toEqual([]);
    expect(idsOf(verifier.facts({ keyspaces: new Set([keyspaceId(3)]) }))).toEqual([
      ownerId(3),
      keyFact(3).id,
    ]);
    const all = idsOf(verifier.facts());
    expect(all).not.toContain(ownerId(4));
    expect(all).toHaveLength(8);
    expect([...verifier.facts()].find(({ fact }) => fact.id === ownerId(3))?.fact).toEqual(
      ownerFact(3, { revision: 3, state: 'suspended' }),
    );
  });

  it('hold every key that does not change while they are read, and each key whole', () => {
    checkProperty(
      fc.property(
        fc.array(fc.tuple(fc.nat(30), fc.constantFrom('rotate', 'cut', 'issue', 'swap'), fc.nat(39)), {
          maxLength: 60,
        }),
        (steps) => {
          const { verifier, clock } = readyVerifier();
          const current = new Map<number, KeyFact>();
          const seen = new Map<string, Set<string>>();
          const text = (fact: KeyFact) =>
            JSON.stringify([fact.revision, fact.versions.map((each) => each.number)]);
          const apply = (at: number, fact: KeyFact) => {
            current.set(at, fact);
            seen.set(fact.id, (seen.get(fact.id) ?? new Set()).add(text(fact)));
            verifier.applyKey(fact);
          };
          for (let at = 0; at < 40; at += 1) {
            const versions =
              at % 2 === 0
                ? [versionFact(at, 1)]
                : [versionFact(at, 1, { state: 'retired' }), versionFact(at, 2)];
            apply(at, keyFact(at, { versions }));
          }
          const changed = new Set<string>();
          const read: KeyFact[] = [];
          const facts = verifier.facts()[Symbol.iterator]();
          const readSome = (count: number) => {
            for (let at = 0; at < count; at += 1) {
              const { value, done } = facts.next();
              if (done !== true && value.kind === 'key') read.push(value.fact);
            }
          };
          for (const [count, kind, which] of steps) {
            readSome(count % 4);
            if (kind === 'swap') verifier.startSnapshot().applyOwner(ownerFact(9));
            const before = current.get(which) ?? keyFact(which);
            const at = kind === 'issue' ? 40 + current.size : which;
            const newest = before.versions.at(-1)?.number ?? 0;
            const rotated = [
              ...before.versions.map((each) => ({ ...each, state: 'retired' as const })),
              versionFact(at, newest + 1),
            ];
            const versions = kind === 'cut' ? rotated.slice(-1) : rotated.slice(-3);
            const next =
              kind === 'issue' ? keyFact(at) : { ...before, revision: before.revision + 1, versions };
            changed.add(next.id);
            apply(at, next);
          }
          readSome(10_000);
          const times = new Map<string, number>();
          for (const fact of read) {
            times.set(fact.id, (times.get(fact.id) ?? 0) + 1);
            expect(seen.get(fact.id)).toContain(text(fact));
          }
          for (const fact of current.values()) if (!changed.has(fact.id)) expect(times.get(fact.id)).toBe(1);
          expect(clock.wallMs()).toBe(startMs);
        },
      ),
      process.env,
      120,
    );
  });

  it('go on from the table that they began with when another one takes over', () => {
    const { verifier } = readyVerifier();
    for (let seq = 1; seq <= 3; seq += 1) verifier.applyRow(keyRow(seq, keyFact(seq)));
    const facts = verifier.facts()[Symbol.iterator]();
    facts.next();
    verifier.startSnapshot().finish({ epoch: 1, seqs: [3, 0] });
    expect(keys({ [Symbol.iterator]: () => facts })).toHaveLength(3);
    expect(keys(verifier.facts())).toEqual([]);
    expect(verifier.verify(keyString(1), {}).code).not.toBe('valid');
  });
});

import type { FeedRow, KeyFact } from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from './clock/manual-verifier-clock.ts';
import { createResidentVerifier } from './resident-verifier.ts';
import { Authority, type Change, changeKinds, fingerprintAt, textOf } from './testing/authority.arbitrary.ts';
import { checkProperty } from './testing/check-property.arbitrary.ts';
import { sampleSeed, startMs, workspaceId } from './testing/sample-facts.arbitrary.ts';
import { VerdictModel } from './testing/verdict-model.arbitrary.ts';

/*
 * Any history of a few keys, and any way its rows may reach a verifier: in order, twice, too early by the shortcut,
 * or long after they were applied. After every step each key string there ever was is presented as each workspace,
 * and the verifier has to say what a few Maps say.
 */

type Step =
  | ({ readonly do: 'change' } & Change)
  | { readonly do: 'next' | 'again' | 'early'; readonly shard: number; readonly which: number };

const number = fc.nat({ max: 59 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      kind: fc.constantFrom(...changeKinds),
      which: number,
      how: number,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('next' as const, 'next' as const, 'again' as const, 'early' as const),
      shard: fc.nat({ max: 2 }),
      which: number,
    }),
  },
);

class Run {
  readonly authority = new Authority();
  readonly model = new VerdictModel();
  readonly clock = new ManualVerifierClock(startMs);
  readonly verifier = createResidentVerifier({ clock: this.clock, shards: 3, indexSeed: sampleSeed });

  constructor() {
    this.verifier.startSnapshot().finish({ epoch: 1, seqs: [0, 0, 0] });
    this.verifier.renewLease(this.clock.monotonicMs());
  }

  take(taken: Step): void {
    if (taken.do === 'change') {
      this.authority.make(taken);
      return;
    }
    const rows = this.authority.log[taken.shard] ?? [];
    const applied = this.verifier.applied().seqs[taken.shard] ?? 0;
    if (taken.do === 'next') this.#deliver(rows[applied]);
    else if (taken.do === 'again') this.#deliverAgain(rows.slice(0, applied), taken.which);
    else this.#deliverEarly(rows.slice(applied), taken.which);
  }

  catchUp(): void {
    for (const [shard, rows] of this.authority.log.entries()) {
      for (const row of rows.slice(this.verifier.applied().seqs[shard] ?? 0)) this.#deliver(row);
    }
  }

  #deliver(row: FeedRow | undefined): void {
    if (row === undefined) return;
    expect(this.verifier.applyRow(row)).toBe(true);
    this.model.apply(row);
  }

  #deliverAgain(rows: readonly FeedRow[], which: number): void {
    const row = rows[which % Math.max(1, rows.length)];
    if (row === undefined) return;
    expect(this.verifier.applyRow(row)).toBe(false);
    this.verifier.applyFacts(row);
  }

  /** The model knows nothing of circles: a row that is so early that it shares no version is left to a test below. */
  #deliverEarly(ahead: readonly FeedRow[], which: number): void {
    const row = ahead[which % Math.max(1, ahead.length)];
    if (row === undefined || !sharesVersions(row.key, ahead, this.model)) return;
    if (row !== ahead[0]) expect(this.verifier.applyRow(row)).toBe(false);
    this.verifier.applyFacts(row);
    this.model.apply(row);
  }

  compare(): void {
    this.verifier.renewLease(this.clock.monotonicMs());
    for (const wanted of [undefined, workspaceId(1), workspaceId(2)]) {
      for (let at = 0; at < this.authority.minted; at += 1) {
        const said = this.verifier.verify(textOf(at), { workspaceId: wanted });
        expect(said).toMatchObject(this.model.verify(fingerprintAt(at), wanted, startMs));
      }
    }
    expect(this.verifier.stats().versions).toBe(this.model.versions);
  }
}

function sharesVersions(key: KeyFact | null, ahead: readonly FeedRow[], model: VerdictModel): boolean {
  const first = key?.versions[0]?.number;
  if (key === null || first === undefined) return true;
  const before = [model.keys.get(key.id), ...ahead.map((row) => row.key)].filter(
    (fact) => fact?.id === key.id,
  );
  return before.every((fact) => (fact?.versions.at(-1)?.number ?? 0) >= first);
}

describe('a verifier', () => {
  it('says of every key string what the newest facts say, after every step of any history', () => {
    checkProperty(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const run = new Run();
        for (const taken of steps) {
          run.take(taken);
          if (taken.do !== 'change') run.compare();
        }
        run.catchUp();
        run.compare();
      }),
      process.env,
      120,
    );
  });

  it('says it once it has caught up, however early facts came', () => {
    checkProperty(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const run = new Run();
        for (const taken of steps) {
          if (taken.do !== 'early') run.take(taken);
          else
            for (const row of run.authority.log[taken.shard]?.slice(-1) ?? []) run.verifier.applyFacts(row);
        }
        run.catchUp();
        run.compare();
      }),
      process.env,
      150,
    );
  });
});

import type { Answer, FeedRow, KeyFact } from '@keyswarm/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Follower } from './follower.ts';
import { checkAsyncProperty } from './testing/check-async-property.ts';
import { FollowerBench, type HeldKey } from './testing/follower-bench.ts';

/*
 * Any history of commits (by this process or by others, told at once, late or never), of dropped days, epochs
 * and outages, against what a verifier may say:
 *
 *  - whatever was committed before a catch-up that succeeded is what the verifier says after it;
 *  - what this process was told of its own commits holds at once;
 *  - a revocation that once held never comes undone within an epoch.
 *
 * Time passes while a caller waits for a catch-up: a round that fails (two new epochs around one snapshot are
 * enough) is followed by a pause, and a bench that never lets a pause end would wait for its own answer for ever.
 */

type Step =
  | { readonly do: 'issue'; readonly shard: number; readonly told: Told }
  | { readonly do: 'change'; readonly key: number; readonly to: KeyFact['state']; readonly told: Told }
  | { readonly do: 'owner'; readonly shard: number; readonly to: 'active' | 'suspended'; readonly told: Told }
  | { readonly do: 'tell' | 'catchUp' | 'wake' | 'turn' | 'newEpoch' | 'outage' }
  | { readonly do: 'drop'; readonly shard: number };

/** When this process hears of a commit by the shortcut: it made it, it is told later, or it was not its own. */
type Told = 'now' | 'later' | 'never';

const shard = fc.nat({ max: 3 });
const told = fc.constantFrom<Told>('now', 'later', 'never');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('issue' as const), shard, told }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      key: fc.nat({ max: 5 }),
      to: fc.constantFrom<KeyFact['state']>('active', 'suspended', 'revoked'),
      told,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('owner' as const),
      shard,
      to: fc.constantFrom('active' as const, 'suspended' as const),
      told,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('tell', 'catchUp', 'wake', 'turn', 'newEpoch', 'outage') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), shard }) },
);

/** Nothing changes while one waits, so the second round after a failure succeeds; the rest is room for the turns. */
const pausesMax = 20;

class Run {
  readonly bench = new FollowerBench();
  readonly follower: Follower = this.bench.start();
  readonly keys: HeldKey[] = [];
  #untold: FeedRow[] = [];

  async take(step: Step): Promise<void> {
    const { bench } = this;
    bench.clock.advance(10);
    if (step.do === 'issue') {
      const { key, row } = bench.issue(step.shard);
      this.keys.push(key);
      this.#tell(row, step.told, key);
    } else if (step.do === 'change') {
      const key = this.keys[step.key];
      if (key !== undefined && key.fact.state !== 'revoked') {
        this.#tell(bench.change(key, step.to), step.told, key);
      }
    } else if (step.do === 'owner') {
      this.#tell(bench.changeOwner(step.shard, step.to), step.told, undefined);
    } else if (step.do === 'drop') bench.feed.drop(step.shard);
    else await this.#takePlain(step.do);
  }

  async #takePlain(what: 'tell' | 'catchUp' | 'wake' | 'turn' | 'newEpoch' | 'outage'): Promise<void> {
    const { bench, follower } = this;
    if (what === 'tell') {
      for (const row of this.#untold.splice(0)) follower.applyCommitted([row]);
    } else if (what === 'catchUp') {
      await this.caughtUp();
      this.check();
    } else if (what === 'wake') follower.wake();
    else if (what === 'turn') await turn();
    else if (what === 'newEpoch') bench.feed.epoch += 1;
    else {
      bench.feed.before = () => Promise.reject(new Error('away'));
      follower.wake();
      await turn();
      bench.feed.before = async () => {};
      bench.timers.firePauses();
    }
  }

  /** A catch-up, with pauses that end. */
  async caughtUp(): Promise<void> {
    let waiting = true;
    const caughtUp = this.follower.catchUp().finally(() => {
      waiting = false;
    });
    for (let pauses = 0; waiting && pauses < pausesMax; pauses += 1) {
      await turn();
      this.bench.timers.firePauses();
    }
    if (waiting)
      throw new Error(`no catch-up in ${pausesMax} pauses: ${JSON.stringify(this.follower.state)}`);
    await caughtUp;
  }

  /** All that is committed is known. */
  check(): void {
    for (const key of this.keys) expect(this.bench.verify(key)).toBe(this.bench.expected(key));
  }

  #tell(row: FeedRow, when: Told, key: HeldKey | undefined): void {
    if (when === 'later') this.#untold.push(row);
    if (when !== 'now') return;
    const { follower, bench } = this;
    follower.applyCommitted([row]);
    // A row of an epoch that the table doesn't know yet waits for the snapshot.
    const known = bench.verifier.applied().epoch === row.epoch;
    if (known && key !== undefined) expect(this.#allowed(key)).toContain(bench.verify(key));
  }

  /** Between the swap to a table of another epoch and the heads that are read after it, there is no lease. */
  #allowed(key: HeldKey): readonly Answer['code'][] {
    const leased = Number.isFinite(this.bench.verifier.stats().leaseAgeMs);
    const expected = this.bench.expected(key);
    if (leased) return [expected];
    return expected === 'valid' ? ['stale'] : [expected, 'stale'];
  }
}

async function turn(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await new Promise(setImmediate);
}

test('whatever happened, a caught-up verifier says what was committed', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const run = new Run();
    try {
      await run.follower.ready;
      for (const one of steps) await run.take(one);
      await run.caughtUp();
      run.check();
      expect(run.bench.verifier.applied()).toEqual(await run.bench.feed.heads());
    } finally {
      await run.follower.stop();
    }
  });
  await checkAsyncProperty(property, {
    environment: process.env,
    runsDefault: 1_000,
    file: 'packages/verifier/src/follow/follower-model.test.ts',
  });
}, 60_000);

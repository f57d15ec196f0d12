import fc from 'fast-check';
import { expect } from 'vitest';
import { checkAsyncProperty } from '../follow/testing/check-async-property.ts';
import type { Verifier } from '../library/verifier-api.ts';
import { type IssuedKey, leaseMs } from './testing/memory-authority.ts';
import { type BenchOptions, TransportBench, type TransportFaults } from './testing/transport-bench.ts';

/*
 * Any faults, in any order, while keys are issued and revoked and time goes by. After every step, for every key: if it
 * was revoked longer ago than the lease, it isn't valid. And when all faults are over, everything is as the authority
 * has it, with nobody's help.
 */

type Step =
  | { readonly kind: 'fault'; readonly fault: keyof TransportFaults }
  | { readonly kind: 'issue'; readonly place: 0 | 1 }
  | { readonly kind: 'change'; readonly which: number; readonly state: 'active' | 'suspended' | 'revoked' }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'settle' }
  | { readonly kind: 'epoch' }
  | { readonly kind: 'drop_rows' };

const faults: readonly (keyof TransportFaults)[] = [
  'silence',
  'breakAll',
  'duplicate',
  'reorder',
  'dropPushes',
  'heal',
];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('fault' as const), fault: fc.constantFrom(...faults) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('issue' as const), place: fc.constantFrom(0, 1) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      which: fc.nat(),
      state: fc.constantFrom('revoked', 'suspended', 'active'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: leaseMs }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('epoch' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop_rows' as const) }) },
);

export interface RandomFaults {
  readonly bench: BenchOptions;
  readonly runs: number;
  /** For the command that replays a failure. */
  readonly file: string;
  readonly environment: { readonly SEED?: string | undefined; readonly RUNS?: string | undefined };
}

export async function checkRandomFaults({
  bench: options,
  runs,
  file,
  environment,
}: RandomFaults): Promise<void> {
  const schedule = fc.array(step, { minLength: 5, maxLength: 40 });
  await checkAsyncProperty(
    fc.asyncProperty(schedule, async (steps) => {
      const bench = await TransportBench.start(options);
      try {
        await new Run(bench, await bench.ready()).all(steps);
      } finally {
        await bench.stop();
      }
    }),
    { environment, runsDefault: runs, file },
  );
}

class Run {
  readonly #bench: TransportBench;
  readonly #verifier: Verifier;
  readonly #keys: IssuedKey[] = [];
  readonly #revokedAtMs = new Map<IssuedKey, number>();

  constructor(bench: TransportBench, verifier: Verifier) {
    this.#bench = bench;
    this.#verifier = verifier;
  }

  async all(steps: readonly Step[]): Promise<void> {
    for (const one of steps) {
      await this.#take(one);
      this.#checkRevoked();
    }
    const { faults: wire, authority } = this.#bench;
    wire.heal();
    await this.#bench.comesAbout(() => {
      this.#checkRevoked();
      const told = this.#keys.map((key) => this.#verifier.verify(key.text).code);
      expect(told).toEqual(this.#keys.map((key) => authority.expected(key)));
      expect(this.#verifier.state).toBe('fresh');
    });
  }

  async #take(one: Step): Promise<void> {
    const { authority, faults: wire, clock } = this.#bench;
    if (one.kind === 'fault') wire[one.fault]();
    else if (one.kind === 'issue') this.#keys.push(authority.issue(one.place));
    else if (one.kind === 'change') this.#change(one.which, one.state);
    else if (one.kind === 'pass') clock.advance(one.ms);
    else if (one.kind === 'epoch') authority.changeEpoch();
    else if (one.kind === 'drop_rows') authority.dropRows();
    // Waits for a round, or for one to fail: whatever can happen by now happens.
    else await this.#verifier.follower.catchUp().catch(() => {});
  }

  #change(which: number, state: 'active' | 'suspended' | 'revoked'): void {
    const key = this.#keys[which % Math.max(1, this.#keys.length)];
    // A revocation is for good.
    if (key === undefined || key.fact.state === 'revoked') return;
    this.#bench.authority.change(key, state);
    if (state === 'revoked') this.#revokedAtMs.set(key, this.#bench.clock.monotonicMs());
  }

  #checkRevoked(): void {
    for (const [key, atMs] of this.#revokedAtMs) {
      // Read before the verdict, which is then younger than it says.
      const isOver = this.#bench.clock.monotonicMs() - atMs > leaseMs;
      const { code } = this.#verifier.verify(key.text);
      if (isOver && code === 'valid')
        throw new Error('a key is valid that was revoked longer ago than the lease');
    }
  }
}

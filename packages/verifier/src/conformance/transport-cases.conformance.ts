import { expect } from 'vitest';
import type { Verifier } from '../library/verifier-api.ts';
import { type IssuedKey, leaseMs } from './testing/memory-authority.ts';
import type { TransportBench } from './testing/transport-bench.ts';

export interface TransportCase {
  /** The guarantee. */
  readonly title: string;
  run(bench: TransportBench): Promise<void>;
}

export function verdictOf(verifier: Verifier, key: IssuedKey): string {
  return verifier.verify(key.text).code;
}

export const transportCases: readonly TransportCase[] = [
  {
    title: 'a snapshot and what commits while it is taken come to the same as the authority holds',
    async run(bench) {
      const { authority } = bench;
      const keys = Array.from({ length: 50 }, (_, at) => authority.issue(at % 2 === 0 ? 0 : 1));
      const verifier = await bench.follow();
      const [first, ...others] = keys;
      for (const key of others.slice(0, 10)) authority.change(key, 'revoked');
      await verifier.ready;
      await verifier.follower.catchUp();
      for (const key of keys) expect(verdictOf(verifier, key)).toBe(authority.expected(key));
      expect(first && verdictOf(verifier, first)).toBe('valid');
    },
  },
  {
    title: 'everything acknowledged before a catch-up is known after it, whatever was pushed',
    async run(bench) {
      const { authority, faults } = bench;
      const verifier = await bench.ready();
      faults.dropPushes();
      for (let round = 0; round < 5; round += 1) {
        const keys = [authority.issue(0), authority.issue(1), authority.issue(0)];
        await verifier.follower.catchUp();
        for (const key of keys) expect(verdictOf(verifier, key)).toBe('valid');
        for (const key of keys) authority.change(key, 'revoked');
        await verifier.follower.catchUp();
        for (const key of keys) expect(verdictOf(verifier, key)).toBe('revoked');
      }
    },
  },
  {
    title: 'the answer to an ask names heads that were read after it',
    async run(bench) {
      const { authority, transport } = bench;
      const { source, close } = await transport.open();
      const ask = { applied: undefined, leaseAgeMs: undefined, fresh: true };
      for (let round = 0; round < 5; round += 1) {
        authority.issue(0);
        const before = authority.feed.heads();
        const answer = await source.lease(ask, AbortSignal.timeout(10_000));
        if (answer.ageMs === 0)
          for (const [shard, seq] of before.seqs.entries())
            expect(answer.seqs[shard]).toBeGreaterThanOrEqual(seq);
      }
      await close();
    },
  },
  {
    title: 'what is pushed arrives without an ask',
    async run(bench) {
      const { authority } = bench;
      const verifier = await bench.ready();
      await bench.comesAbout(() => expect(verifier.stats().leaseAnswers).toBeGreaterThan(1));
      const hold = holdAsks(bench);
      const key = authority.issue(0);
      await bench.comesAbout(() => expect(verdictOf(verifier, key)).toBe('valid'));
      hold.release();
    },
  },
  {
    title: 'a push renews no lease, however many come',
    async run(bench) {
      const { authority, clock } = bench;
      const verifier = await bench.ready();
      await bench.comesAbout(() => expect(verifier.stats().leaseAnswers).toBeGreaterThan(1));
      const hold = holdAsks(bench);
      await hold.held;
      const known = authority.issue(0);
      await bench.comesAbout(() => expect(verdictOf(verifier, known)).toBe('valid'));
      const answers = verifier.stats().leaseAnswers;
      clock.advance(leaseMs + 1);
      const pushed: IssuedKey[] = [];
      for (let round = 0; round < 3; round += 1) {
        // An ask that began after the lease had ended: were it answered from a push, it would bring the lease back.
        const asked = bench.asksBegun;
        await bench.comesAbout(() => expect(bench.asksBegun).toBeGreaterThan(asked));
        pushed.push(authority.issue(1));
        const place = authority.feed.heads();
        await bench.comesAbout(() => expect(verifier.resident.applied()).toEqual(place));
        const { leaseAnswers } = verifier.stats();
        for (const key of [known, ...pushed])
          expect([leaseAnswers, verdictOf(verifier, key)]).toEqual([answers, 'stale']);
      }
      hold.release();
      await bench.comesAbout(() => expect(verdictOf(verifier, known)).toBe('valid'));
    },
  },
  {
    title: 'an answer that took longer than the lease is worth nothing',
    async run(bench) {
      const { authority, clock } = bench;
      const key = authority.issue(0);
      const verifier = await bench.ready();
      const hold = holdAsks(bench);
      await hold.held;
      const outcomes = () => verifier.stats().leaseAnswers + verifier.stats().disconnects;
      const before = outcomes();
      clock.advance(leaseMs + 1);
      hold.letOneThrough();
      // It may have been given up meanwhile; the next one is held again.
      await bench.comesAbout(() => expect(outcomes()).toBeGreaterThan(before));
      expect(verdictOf(verifier, key)).toBe('stale');
      hold.release();
      await bench.comesAbout(() => expect(verdictOf(verifier, key)).toBe('valid'));
    },
  },
  {
    title: 'silence with an open socket ends in stale after the lease, and in fresh once it ends',
    async run(bench) {
      const { authority, clock, faults } = bench;
      const key = authority.issue(0);
      const verifier = await bench.ready();
      faults.silence();
      const revoked = authority.issue(1);
      authority.change(revoked, 'revoked');
      clock.advance(leaseMs / 2 + 1_000);
      expect([verifier.state, verdictOf(verifier, key)]).toEqual(['aging', 'valid']);
      clock.advance(leaseMs / 2);
      expect([verifier.state, verdictOf(verifier, key)]).toEqual(['stale', 'stale']);
      faults.heal();
      await bench.comesAbout(() => expect(verdictOf(verifier, key)).toBe('valid'));
      expect(verdictOf(verifier, revoked)).toBe('revoked');
    },
  },
  {
    title: 'silence before the first snapshot leaves everything stale, and loading goes on by itself',
    async run(bench) {
      const { authority, faults } = bench;
      const key = authority.issue(0);
      faults.silence();
      const verifier = await bench.follow();
      expect([verifier.state, verdictOf(verifier, key)]).toEqual(['loading', 'stale']);
      faults.heal();
      await verifier.ready;
      expect(verdictOf(verifier, key)).toBe('valid');
    },
  },
  ...(['duplicate', 'reorder', 'dropPushes'] as const).map(
    (fault): TransportCase => ({
      title: `pushes under \`${fault}\` end in the truth`,
      async run(bench) {
        const { authority, faults } = bench;
        const verifier = await bench.ready();
        faults[fault]();
        const keys = Array.from({ length: 20 }, (_, at) => authority.issue(at % 2 === 0 ? 0 : 1));
        for (const [at, key] of keys.entries()) {
          if (at % 2 === 0) authority.change(key, 'suspended');
          if (at % 4 === 0) authority.change(key, 'active');
          if (at % 5 === 0) authority.change(key, 'revoked');
        }
        await bench.comesAbout(() => {
          expect(keys.map((key) => verdictOf(verifier, key))).toEqual(
            keys.map((key) => authority.expected(key)),
          );
        });
        expect(verifier.resident.applied()).toEqual(authority.feed.heads());
      },
    }),
  ),
  {
    title: 'a push that went deaf is made anew, and pushes come again',
    async run(bench) {
      const { authority, faults } = bench;
      const verifier = await bench.ready();
      faults.dropPushes();
      while (verifier.stats().pushRecreations === 0) {
        const { lagRows } = verifier.stats();
        expect(lagRows).toBeGreaterThanOrEqual(0);
        authority.issue(0);
        await verifier.follower.catchUp();
      }
      faults.heal();
      const key = authority.issue(0);
      await bench.comesAbout(() => expect(verdictOf(verifier, key)).toBe('valid'));
    },
  },
  {
    title: 'a row that can not be read takes its shard out, no other one, and is taken once it is mended',
    async run(bench) {
      const { authority, clock } = bench;
      const [touched, other] = [authority.issue(0), authority.issue(1)];
      const verifier = await bench.ready();
      const spoilt = authority.changeSpoilt(touched, 'revoked');
      await bench.comesAbout(() => expect(verifier.quarantined).toEqual([touched.shard]));
      clock.advance(leaseMs + 1);
      await bench.comesAbout(() => expect(verdictOf(verifier, other)).toBe('valid'));
      expect(verdictOf(verifier, touched)).toBe('stale');
      spoilt.mend();
      await bench.comesAbout(() => expect(verdictOf(verifier, touched)).toBe('revoked'));
      await bench.comesAbout(() => expect(verifier.quarantined).toEqual([]));
    },
  },
  {
    title: 'a new epoch is taken over with a new snapshot',
    async run(bench) {
      const { authority } = bench;
      const key = authority.issue(0);
      const verifier = await bench.ready();
      authority.changeEpoch();
      authority.change(key, 'revoked');
      await bench.comesAbout(() => expect(verdictOf(verifier, key)).toBe('revoked'));
      await bench.comesAbout(() => expect(verifier.stats().epoch).toBe(authority.feed.epoch));
      const later = authority.issue(1);
      await bench.comesAbout(() => expect(verdictOf(verifier, later)).toBe('valid'));
    },
  },
  {
    title: 'an older epoch is not listened to',
    async run(bench) {
      const { authority, clock } = bench;
      authority.changeEpoch();
      const key = authority.issue(0);
      const verifier = await bench.ready();
      const { epoch } = authority.feed;
      authority.answerOfEpoch(epoch - 1);
      await bench.comesAbout(() => expect(verifier.follower.state.kind).toBe('unreachable'));
      clock.advance(leaseMs + 1);
      expect([verdictOf(verifier, key), verifier.stats().epoch]).toEqual(['stale', epoch]);
      authority.answerOfEpoch(undefined);
      await bench.comesAbout(() => expect(verdictOf(verifier, key)).toBe('valid'));
    },
  },
  {
    title: 'what retention has dropped meanwhile is made good with a snapshot',
    async run(bench) {
      const { authority, faults } = bench;
      const key = authority.issue(0);
      const verifier = await bench.ready();
      const { snapshots } = verifier.stats();
      faults.breakAll();
      authority.change(key, 'revoked');
      const issued = authority.issue(1);
      authority.dropRows();
      faults.heal();
      await bench.comesAbout(() => expect(verdictOf(verifier, issued)).toBe('valid'));
      expect(verdictOf(verifier, key)).toBe('revoked');
      expect(verifier.stats().snapshots).toBeGreaterThan(snapshots);
    },
  },
  {
    title: 'a transport that is gone and back is followed again, from where the verifier stood',
    async run(bench) {
      const { authority, clock, faults } = bench;
      const key = authority.issue(0);
      const verifier = await bench.ready();
      const { snapshots } = verifier.stats();
      for (let outage = 0; outage < 3; outage += 1) {
        faults.breakAll();
        await bench.comesAbout(() => expect(verifier.follower.state.kind).toBe('unreachable'));
        expect(verdictOf(verifier, key)).toBe('valid');
        clock.advance(leaseMs + 1);
        expect(verdictOf(verifier, key)).toBe('stale');
        const missed = authority.issue(1);
        faults.heal();
        await bench.comesAbout(() =>
          expect([verifier.state, verdictOf(verifier, missed)]).toEqual(['fresh', 'valid']),
        );
        expect(verdictOf(verifier, key)).toBe('valid');
      }
      expect(verifier.stats().snapshots).toBe(snapshots);
    },
  },
  {
    title: 'several verifiers at one transport hinder nobody, and close without a trace',
    async run(bench) {
      const { authority } = bench;
      const verifiers = await Promise.all([1, 2, 3].map(() => bench.ready()));
      await verifiers[0]?.close();
      const key = authority.issue(0);
      for (const verifier of verifiers.slice(1))
        await bench.comesAbout(() => expect(verdictOf(verifier, key)).toBe('valid'));
      expect(verifiers[0]?.state).toBe('closed');
    },
  },
];

/** Makes the asks of clients wait at the primary. What commits is told to the relay all the same. */
function holdAsks({ authority }: TransportBench) {
  const first = Promise.withResolvers<void>();
  let waiting: (() => void)[] = [];
  let isReleased = false;
  authority.gate = () => {
    first.resolve();
    if (isReleased) return Promise.resolve();
    return new Promise((resolve) => waiting.push(resolve));
  };
  const letThrough = (count: number) => {
    const through = waiting.slice(0, count);
    waiting = waiting.slice(count);
    for (const resolve of through) resolve();
  };
  return {
    held: first.promise,
    letOneThrough: () => letThrough(1),
    release() {
      isReleased = true;
      letThrough(waiting.length);
    },
  };
}

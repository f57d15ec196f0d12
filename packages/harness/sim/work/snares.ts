import type { SeededRandom } from '../kernel/seeded-random.ts';
import type { Trace } from '../kernel/trace.ts';
import type { FeedService } from '../net/feed-service.ts';
import type { Cluster } from '../nodes/cluster.ts';
import type { Seat } from '../nodes/seat.ts';
import type { VerifierService } from '../nodes/verifier-node.ts';
import type { Cut } from './faults.ts';
import type { KnownKey } from './key-book.ts';

/** Whoever uses keys, as far as it matters for a snare. */
export interface Holders {
  /** A key that is rotated now, with a long grace, and whose old secret nobody presents. */
  rotateAndRest(): KnownKey | undefined;
  /** The old secret, and the new one, at a verifier. */
  presentOld(seat: Seat<VerifierService>, key: KnownKey): void;
  presentNew(seat: Seat<VerifierService>, key: KnownKey): void;
}

export interface SnareGround {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly holders: Holders;
  readonly revokeNow: () => void;
  readonly cutOff: (seat: Seat<FeedService>, cut: Cut) => void;
  readonly mendLater: (afterMs: number, mend: () => void) => void;
}

/** Slowest answer that is on its way when a machine is cut off, ms. */
const lateMsMax = 1_400;
/** After a rotation, ms: the old version is about to have been silent for long enough to end by itself. */
const almostSettledMs = { min: 45_000, max: 62_000 } as const;
/** By how much a server's clock is ahead then: more than any window. */
const aheadMs = 600_000;

/** What chance alone would bring about once in a thousand hours: several things that go wrong together, in their order. */
export class Snares {
  readonly #ground: SnareGround;

  constructor(ground: SnareGround) {
    this.#ground = ground;
  }

  /** Answers are on their way; then nothing else gets through any more, and things are ended that those do not know of. */
  answersComeLate(): void {
    const { cluster, random, revokeNow, mendLater, cutOff } = this.#ground;
    const { scheduler } = cluster.clients.machine;
    const seat = random.pick(cluster.nodes);
    const others = cluster.seats.filter((other) => other !== seat);
    for (const { name } of others) {
      cluster.network.set(name, seat.name, { delayMsMax: lateMsMax });
      mendLater(90_000, () => cluster.network.set(name, seat.name, { delayMsMax: 3 }));
    }
    const cutMs = random.between(2_000, 6_000);
    scheduler.schedule(cutMs, () =>
      cutOff(seat, { ways: ['in'], others, forMs: random.between(20_000, 60_000) }),
    );
    for (let count = 0; count < 4; count += 1)
      scheduler.schedule(cutMs + random.between(-200, 500), revokeNow);
  }

  /**
   * A holder that has not got the new secret uses the old one where nobody hears of it, just when that seems to be silent;
   * and the clocks of the servers are ahead.
   */
  usesAreUnheard(): void {
    const { cluster, random, trace, holders, cutOff, mendLater } = this.#ground;
    const { scheduler } = cluster.clients.machine;
    const key = holders.rotateAndRest();
    if (key === undefined) return;
    mendLater(160_000, () => {
      key.isResting = false;
    });
    for (const afterMs of [1_000, 3_000, 8_000]) {
      scheduler.schedule(afterMs, () => {
        for (const seat of cluster.nodes) holders.presentNew(seat, key);
      });
    }
    const seat = random.pick(cluster.nodes);
    const others = cluster.seats.filter((other) => other !== seat);
    const cutMs = random.between(almostSettledMs.min, almostSettledMs.max);
    scheduler.schedule(cutMs, () => {
      cutOff(seat, { ways: ['in', 'out'], others, forMs: 60_000 });
      for (const { name, machine } of cluster.servers) {
        trace.add(name, `has its wall clock set by ${aheadMs} ms`);
        machine.stepWall(aheadMs);
      }
    });
    for (const afterMs of [100, 1_000, 2_500, 4_000, 6_000])
      scheduler.schedule(cutMs + afterMs, () => holders.presentOld(seat, key));
  }
}

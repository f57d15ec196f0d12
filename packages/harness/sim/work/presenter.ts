import type { Answer, KeyId } from '@keyswarm/core';
import { verifyOneKey } from '@keyswarm/server/rooms/keys/verify-keys';
import type { VerdictJudge } from '../check/judge-verdicts.ts';
import type { SometimesCounts } from '../check/sometimes.ts';
import type { SeededRandom } from '../kernel/seeded-random.ts';
import type { Trace } from '../kernel/trace.ts';
import type { AuthorityService } from '../nodes/authority.ts';
import type { Cluster } from '../nodes/cluster.ts';
import type { Seat } from '../nodes/seat.ts';
import type { VerifierService } from '../nodes/verifier-node.ts';
import { type KeyBook, type KnownKey, type KnownSecret, secretsInUse } from './key-book.ts';

export interface PresenterGround {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly book: KeyBook;
  readonly judge: VerdictJudge;
  readonly counts: SometimesCounts;
}

/** After the instant from which an end holds everywhere, ms. */
const looksAfterEndMs = [15, 80, 250, 700, 1_600] as const;
/** When after a change its keys are presented everywhere, ms: at once, around the ends of leases, and later. */
const looksAfterMs = [
  5, 300, 1_500, 2_600, 5_000, 7_000, 12_000, 25_000, 42_000, 65_000, 95_000, 250_000,
] as const;

/** Whoever presents keys at access points: what they are told there is judged as they hear it. */
export class Presenter {
  readonly #ground: PresenterGround;
  #isOff = false;

  constructor(ground: PresenterGround) {
    this.#ground = ground;
  }

  stop(): void {
    this.#isOff = true;
  }

  /** Some key somewhere. */
  presentAny(): void {
    const { book, random, cluster } = this.#ground;
    const secret = book.pickSecret();
    if (secret === undefined) return;
    if (random.chance(0.25)) this.#atServer(random.pick(cluster.servers), secret);
    else this.#atVerifier(random.pick(cluster.nodes), secret, random.chance(0.5));
  }

  /** A key that was handed out this moment has to be good wherever it is presented. */
  presentEverywhere(id: KeyId | undefined): void {
    const key = [...this.#ground.book.keys].find((each) => each.id === id);
    for (const secret of key?.secrets ?? []) {
      for (const seat of this.#ground.cluster.nodes) this.#atVerifier(seat, secret, true);
      for (const seat of this.#ground.cluster.servers) this.#atServer(seat, secret);
    }
  }

  /** One secret at one verifier, which answers from memory. */
  presentAt(seat: Seat<VerifierService>, secret: KnownSecret | undefined): void {
    if (secret !== undefined && !this.#isOff) this.#atVerifier(seat, secret, false);
  }

  /** All that was handed out for a key, at all access points, now and again. */
  watch(key: KnownKey, effectiveByMs?: number): void {
    const { cluster, random } = this.#ground;
    const { scheduler } = cluster.clients.machine;
    const endMs = effectiveByMs === undefined ? undefined : effectiveByMs - cluster.engine.wallAheadMs;
    for (const afterMs of endMs === undefined ? [] : looksAfterEndMs)
      scheduler.schedule((endMs ?? 0) + afterMs - scheduler.nowMs, () => this.#lookEverywhere(key));
    for (const afterMs of looksAfterMs) {
      scheduler.schedule(afterMs * random.between(0.9, 1.1), () => this.#lookEverywhere(key));
    }
  }

  #lookEverywhere(key: KnownKey): void {
    const { cluster } = this.#ground;
    if (this.#isOff) return;
    for (const secret of secretsInUse(key)) {
      for (const seat of cluster.nodes) this.#atVerifier(seat, secret, false);
      for (const seat of cluster.servers) this.#lookAtServer(seat, secret);
    }
  }

  /** From memory, at once; so nothing but the table and the lease decide. */
  #atVerifier(seat: Seat<VerifierService>, secret: KnownSecret, isFresh: boolean): void {
    const { service, life } = seat;
    if (service === undefined || !seat.isUp || life === undefined) return;
    if (!isFresh) {
      this.#judge(seat.name, secret, service.verify(secret.text, secret.key.keyspace), undefined);
      return;
    }
    const askedMs = life.machine.scheduler.nowMs;
    const before = service.resident.verify(secret.text, { keyspace: secret.key.keyspace });
    service.verifyFresh(secret.text, secret.key.keyspace).then(
      (answer) => {
        if (!life.isAlive) return;
        if (before.valid === false && answer.valid === true)
          this.#ground.counts.note('a refusal waited for news');
        this.#judge(seat.name, secret, answer, askedMs);
      },
      (error: unknown) => life.machine.scheduler.fail(error),
    );
  }

  #lookAtServer(seat: Seat<AuthorityService>, secret: KnownSecret): void {
    if (!seat.isUp || seat.service === undefined) return;
    const answer = seat.service.resident.verify(secret.text, { keyspace: secret.key.keyspace });
    this.#judge(seat.name, secret, answer, undefined);
  }

  /** As the API of a server answers it. */
  #atServer(seat: Seat<AuthorityService>, secret: KnownSecret): void {
    const { cluster } = this.#ground;
    const { service, life } = seat;
    if (service === undefined || !seat.isUp || life === undefined) return;
    const askedMs = life.machine.scheduler.nowMs;
    const wish = { presented: secret.text, keyspace: secret.key.keyspace };
    Promise.resolve(verifyOneKey(service.ports, cluster.callerFor('access point', 'verify'), wish)).then(
      (answer) => {
        if (life.isAlive) this.#judge(seat.name, secret, answer, askedMs);
      },
      // What can't be settled is not refused: 503.
      () => {},
    );
  }

  #judge(by: string, { key, version }: KnownSecret, answer: Answer, askedMs: number | undefined): void {
    const { judge, cluster, trace } = this.#ground;
    const { scheduler } = cluster.clients.machine;
    const nowMs = scheduler.nowMs;
    trace.add(by, `says ${answer.code} of version ${version} of ${shortOf(key.id)}`);
    try {
      judge.judge(
        { by, keyId: key.id, version, askedMs: askedMs ?? nowMs, isFresh: askedMs !== undefined },
        answer,
        nowMs,
      );
    } catch (error) {
      scheduler.fail(error);
    }
  }
}

/** Enough of an id to follow it in a trace. */
export function shortOf(id: KeyId): string {
  return id.slice(-6);
}

import { systemVerifierClock } from '@keyswarm/verifier';
import { systemTimers } from '@keyswarm/verifier/timers';
import type { NatsRig, RigVerifier } from './nats-rig.ts';
import type { TestKey } from './test-primary.ts';

const clock = systemVerifierClock();

/** What an acceptance after this long, counted from the acknowledgement, would break: L and what clocks may drift. */
export const boundMs = 2_000 * 1.002;

interface Revoked {
  readonly key: TestKey;
  readonly ackedMs: number;
  /** By verifier: the last acceptance after the acknowledgement, ms from it; -1: none. */
  readonly lastValidMs: number[];
  readonly refused: boolean[];
}

/**
 * Commits all the time: each tick issues a key and revokes one that every verifier accepted. Meanwhile every
 * revoked key is presented to every verifier again and again.
 */
export class RevocationWatch {
  readonly violations: string[] = [];
  readonly revoked: Revoked[] = [];
  staleAnswers = 0;
  leaseAgeMsMax = 0;
  readonly #rig: NatsRig;
  readonly #verifiers: readonly RigVerifier[];
  readonly #usable: TestKey[] = [];
  readonly #cancels: (() => void)[];

  constructor(rig: NatsRig, verifiers: readonly RigVerifier[], tickMs = 20) {
    this.#rig = rig;
    this.#verifiers = verifiers;
    this.#cancels = [
      systemTimers.every(tickMs, () => this.#commit()),
      systemTimers.every(3, () => this.#present()),
    ];
  }

  /** Are all revoked keys refused everywhere? */
  get settled(): boolean {
    return this.revoked.every(({ refused }) => refused.every((is) => is));
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  /** No more commits; what was revoked is presented until all of it is refused. */
  stopCommits(): void {
    this.#cancels.shift()?.();
  }

  /** Milliseconds from acknowledgement to the last acceptance, over keys and verifiers. */
  report(): string {
    const delays = this.revoked.flatMap(({ lastValidMs }) => lastValidMs).map((ms) => Math.max(0, ms));
    delays.sort((a, b) => a - b);
    const at = (share: number) => (delays[Math.floor(share * (delays.length - 1))] ?? 0).toFixed(0);
    return `${this.revoked.length} revocations: last acceptance p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms; lease age at most ${this.leaseAgeMsMax.toFixed(0)} ms; ${this.staleAnswers} stale answers`;
  }

  #commit(): void {
    const { primary } = this.#rig;
    this.#usable.push(primary.issue());
    const [oldest] = this.#usable;
    if (this.#usable.length < 10 || oldest === undefined) return;
    if (!this.#verifiers.every((verifier) => verifier.says(oldest) === 'valid')) return;
    this.#usable.shift();
    primary.revoke(oldest);
    this.revoked.push({
      key: oldest,
      ackedMs: clock.monotonicMs(),
      lastValidMs: this.#verifiers.map(() => -1),
      refused: this.#verifiers.map(() => false),
    });
  }

  #present(): void {
    for (const verifier of this.#verifiers) {
      this.leaseAgeMsMax = Math.max(this.leaseAgeMsMax, verifier.leaseAgeMs());
    }
    // The latest thousand, so that looking does not become what is measured.
    for (const one of this.revoked.slice(-1000)) {
      this.#verifiers.forEach((verifier, at) => {
        if (one.refused[at] === true) return;
        const beganMs = clock.monotonicMs();
        const code = verifier.says(one.key);
        const afterMs = beganMs - one.ackedMs;
        if (code === 'revoked') one.refused[at] = true;
        else if (code === 'stale') this.staleAnswers += 1;
        else if (code === 'valid') {
          one.lastValidMs[at] = afterMs;
          if (afterMs > boundMs) this.violations.push(`${verifier.name} accepted ${afterMs} ms after`);
        }
      });
    }
  }
}

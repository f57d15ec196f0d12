import type { Answer } from '@keyswarm/core';
import type { Follower } from '../follow/follower.ts';
import type { RelayPool } from '../http/relay-pool.ts';
import type { SignedRequest } from '../signatures/signed-request.ts';
import type { UseReporter } from '../uses/use-reporter.ts';
import { mayBeNews } from '../verdict/news.ts';
import type { ResidentVerifier, VerifierClock } from '../verifier-port.ts';
import type { AuthorityFallback } from './authority-fallback.ts';
import type { CountedSource } from './counted-source.ts';
import type { LeaseWatch } from './lease-watch.ts';
import type { SnapshotKeeper } from './snapshot-keeper.ts';
import type {
  AuthorityVerdict,
  FreshRequirement,
  KeyRequirement,
  ResidentAnswer,
  Verifier,
  VerifierNumbers,
} from './verifier-api.ts';
import type { Listener, Listeners, VerifierEvent, VerifierEvents, VerifierState } from './verifier-events.ts';
import { verifyFresh } from './verify-fresh.ts';

export interface LibraryParts {
  readonly resident: ResidentVerifier;
  readonly follower: Follower;
  readonly uses: UseReporter;
  readonly clock: VerifierClock;
  readonly watch: LeaseWatch;
  readonly listeners: Listeners;
  readonly source: CountedSource;
  readonly pool: RelayPool | undefined;
  readonly fallback: AuthorityFallback | undefined;
  readonly keeper: SnapshotKeeper | undefined;
  /** Tells the relay what is left to tell, and that this verifier accepts nothing more. Bounded, and never rejects. */
  readonly takeLeave: () => Promise<void>;
  /** Ends timers and connections, once the follower has stopped. */
  readonly release: () => void;
}

const anything: KeyRequirement = Object.freeze({});
const stale: Answer = Object.freeze({ valid: null, code: 'stale' });

/** The parts behind one face. It answers and counts; what it is made of is wired in `create-verifier.ts`. */
export class LibraryVerifier implements Verifier {
  readonly #parts: LibraryParts;
  readonly #verdicts: Record<string, number> = {};
  #freshWaits = 0;
  #closing: Promise<void> | undefined;

  constructor(parts: LibraryParts) {
    this.#parts = parts;
  }

  get resident(): ResidentVerifier {
    return this.#parts.resident;
  }

  get follower(): Follower {
    return this.#parts.follower;
  }

  get uses(): UseReporter {
    return this.#parts.uses;
  }

  get clock(): VerifierClock {
    return this.#parts.clock;
  }

  get ready(): Promise<void> {
    return this.#parts.follower.ready;
  }

  get state(): VerifierState {
    this.#parts.watch.look();
    return this.#parts.watch.state;
  }

  get reason(): unknown {
    return this.#parts.watch.reason;
  }

  get relay(): string | undefined {
    return this.#parts.pool?.current;
  }

  get quarantined(): readonly number[] {
    return this.#parts.resident.quarantined;
  }

  verify(key: string, { keyspace, scopes }: KeyRequirement = anything): ResidentAnswer {
    return this.#told(this.#parts.resident.verify(key, { keyspace, scopes }), this.#asOf());
  }

  async verifyFresh(key: string, requirement: FreshRequirement = anything): Promise<ResidentAnswer> {
    const { resident, follower, fallback, clock } = this.#parts;
    const askedMs = clock.earliestMs();
    const onWait = () => {
      this.#freshWaits += 1;
    };
    const { answer, isAuthority } = await verifyFresh(
      { resident, follower, fallback, onWait },
      key,
      requirement,
    );
    return this.#told(answer, isAuthority ? askedMs : this.#asOf());
  }

  verifyRequest(request: SignedRequest, { keyspace, scopes }: KeyRequirement = anything): ResidentAnswer {
    return this.#told(this.#parts.resident.verifyRequest(request, { keyspace, scopes }), this.#asOf());
  }

  async verifyRequestFresh(
    request: SignedRequest,
    { keyspace, scopes }: KeyRequirement = anything,
  ): Promise<ResidentAnswer> {
    const { resident, follower } = this.#parts;
    const look = () => resident.verifyRequest(request, { keyspace, scopes });
    const answer = look();
    if (answer.valid !== false || !mayBeNews(answer.code, '')) return this.#told(answer, this.#asOf());
    try {
      this.#freshWaits += 1;
      await follower.catchUp();
    } catch {
      // What can't be settled is not refused, as for a key string.
      return this.#told(stale, this.#asOf());
    }
    return this.#told(look(), this.#asOf());
  }

  on<Name extends VerifierEvent>(name: Name, listener: Listener<VerifierEvents[Name]>): () => void {
    return this.#parts.listeners.on(name, listener);
  }

  stats(): VerifierNumbers {
    const { resident, follower, watch, source, pool, fallback } = this.#parts;
    const { versions, owners, keyspaces, tableBytes, leaseAgeMs } = resident.stats();
    const applied = resident.applied();
    return {
      versions,
      owners,
      keyspaces,
      tableBytes,
      leaseAgeMs: Number.isFinite(leaseAgeMs) ? leaseAgeMs : -1,
      epoch: applied.epoch,
      appliedSeq: applied.seqs.reduce((sum, seq) => sum + seq, 0),
      lagRows: source.lagOf(applied),
      disconnects: watch.disconnects,
      relayMoves: pool?.moves ?? 0,
      ...source.counts,
      freshWaits: this.#freshWaits,
      pushRecreations: follower.pushRecreations,
      quarantinedShards: resident.quarantined.length,
      fallbackAsked: fallback?.asked ?? 0,
      fallbackFailed: fallback?.failed ?? 0,
      verdicts: { ...this.#verdicts },
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { resident, follower, watch, fallback, keeper, listeners, takeLeave, release } = this.#parts;
    fallback?.close();
    keeper?.stop();
    const isHeard = follower.state.kind === 'following';
    await follower.stop();
    if (isHeard) await takeLeave();
    release();
    await keeper?.close(resident);
    watch.close();
    listeners.clear();
  }

  #told(answer: Answer | AuthorityVerdict, asOf: number | null): ResidentAnswer {
    this.#verdicts[answer.code] = (this.#verdicts[answer.code] ?? 0) + 1;
    return { ...answer, asOf };
  }

  /** Read after the answer was: what is said of its age may be too old, never too young. */
  #asOf(): number | null {
    const { resident, clock } = this.#parts;
    const { leaseAgeMs } = resident.stats();
    return Number.isFinite(leaseAgeMs) ? clock.earliestMs() - leaseAgeMs : null;
  }
}

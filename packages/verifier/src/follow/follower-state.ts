/** What a follower is doing, for readiness, logs and metrics. */
export type FollowerState =
  /** The first snapshot has not been loaded yet. */
  | { readonly kind: 'starting' }
  /** Every shard is applied up to the heads: the lease was renewed. */
  | { readonly kind: 'following' }
  /** A snapshot is loaded while the old table goes on serving. */
  | { readonly kind: 'reloading'; readonly why: ReloadReason }
  /** A row can't be read. Its shard is quarantined, and its lease runs out; the others go on. Told once a row. */
  | { readonly kind: 'blocked'; readonly shard: number; readonly seq: number; readonly reason: string }
  /** A round failed; the next one comes after a pause. What is resident is served until the lease ends. */
  | { readonly kind: 'unreachable'; readonly error: unknown }
  | { readonly kind: 'stopped' };

/**
 * A new epoch; retention has dropped rows that were missing; heads that went back without a new epoch; or this
 * verifier may read more or less than its table was loaded with.
 */
export type ReloadReason = 'epoch' | 'gone' | 'heads_went_back' | 'view';

/** Whoever was asked lives in a past that this verifier has left: a server on a primary that was replaced. */
export class OlderEpoch extends Error {
  override readonly name = 'OlderEpoch';
  readonly known: number;
  readonly answered: number;

  constructor(known: number, answered: number) {
    super(`epoch ${answered} was answered where ${known} is known: nothing of it is taken`);
    this.known = known;
    this.answered = answered;
  }
}

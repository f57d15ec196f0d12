import type { FeedSource, FollowerState, Heads, ResidentVerifier } from '@keyswarm/verifier';
import type { Log } from '../logging/log.ts';

/*
 * What becomes of what is asked of the relays, in words that a person can act on: for the log, `/readyz` and the
 * metrics. A refused credential is told from a relay that can't be reached, because only one of them heals by itself.
 */

export type LinkState = 'starting' | 'following' | 'refused' | 'unreachable' | 'blocked' | 'stopped';

export class FeedWatch {
  readonly #log: Log;
  readonly #verifier: Pick<ResidentVerifier, 'applied'>;
  #state: LinkState = 'starting';
  #reason: string | undefined;
  #heads: Heads | undefined;

  constructor(log: Log, verifier: Pick<ResidentVerifier, 'applied'>) {
    this.#log = log;
    this.#verifier = verifier;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Why it isn't following, in a sentence; undefined while it is, and before anything was tried. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** How far the table was behind the heads that were last heard of. */
  lagRows(): number {
    const { epoch, seqs } = this.#verifier.applied();
    if (this.#heads === undefined || this.#heads.epoch !== epoch) return 0;
    return this.#heads.seqs.reduce((sum, head, shard) => sum + Math.max(0, head - (seqs[shard] ?? 0)), 0);
  }

  /** The same source, listened to: the follower tells of a failure once, and this of each other kind of it. */
  over(source: FeedSource): FeedSource {
    const heard = async <Result>(asked: Promise<Result>): Promise<Result> => {
      try {
        return await asked;
      } catch (error) {
        this.#failed(error);
        throw error;
      }
    };
    const { subscribe } = source;
    return {
      lease: async (ask, signal) => {
        const answer = await heard(source.lease(ask, signal));
        this.#heads = answer;
        return answer;
      },
      rows: (shard, range, signal) => heard(source.rows(shard, range, signal)),
      snapshot: (sink, signal) => heard(source.snapshot(sink, signal)),
      ...(subscribe === undefined
        ? {}
        : { subscribe: (from, listener) => subscribe.call(source, from, listener) }),
    };
  }

  /** What the follower tells of itself. */
  note(state: FollowerState): void {
    const { kind } = state;
    if (kind === 'following') this.#enter('following', undefined);
    else if (kind === 'blocked') {
      const { shard, seq, reason } = state;
      this.#enter('blocked', `row ${seq} of shard ${shard} can not be read: ${reason}`);
    } else if (kind === 'reloading') this.#log.warn({ why: state.why }, 'the resident table is loaded anew');
    else if (kind === 'stopped') this.#enter('stopped', undefined);
    else if (kind === 'unreachable') this.#failed(state.error);
  }

  #failed(error: unknown): void {
    const isRefusal = error instanceof Error && error.name === 'RelayRefused';
    // A row that one relay can't read is the follower's to judge.
    if (error instanceof Error && error.name === 'BadFeedRow') return;
    if (isRefusal) this.#enter('refused', error.message);
    else if (this.#state !== 'stopped') {
      this.#enter('unreachable', error instanceof Error ? error.message : String(error));
    }
  }

  #enter(state: LinkState, reason: string | undefined): void {
    const before = this.#state;
    this.#state = state;
    this.#reason = reason;
    if (before === state) return;
    if (state === 'following') this.#log.info({ before }, 'follows the feed');
    else if (state === 'refused') {
      this.#log.error(
        { reason },
        'the relay refuses this credential: nothing is verified until KEYSWARM_VERIFIER_KEY holds one that may read the feed',
      );
    } else if (state === 'unreachable') this.#log.warn({ reason }, 'no relay can be read; trying again');
    else if (state === 'blocked')
      this.#log.error({ reason }, 'a feed row can not be read; its shard stands still');
  }
}

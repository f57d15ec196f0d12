import type {
  FeedListener,
  FeedSource,
  FeedStretch,
  FeedSubscription,
  Heads,
  LeaseAnswer,
  LeaseAsk,
  RowRange,
  SnapshotSink,
} from '@keyswarm/verifier';

/** `off` refuses at once, as a closed port does; `silent` takes the question and says nothing, as a dead link does. */
export type Switch = 'on' | 'off' | 'silent';

/** The way to a relay, with a switch in it. It pushes when `pushes` is set. */
export class SwitchedSource implements FeedSource {
  state: Switch = 'on';
  pushes = false;
  /** Subscriptions that stand. */
  readonly listeners = new Set<FeedListener>();
  readonly #source: FeedSource;

  constructor(source: FeedSource) {
    this.#source = source;
  }

  lease(ask: LeaseAsk, signal: AbortSignal): Promise<LeaseAnswer> {
    return this.#pass(signal, () => this.#source.lease(ask, signal));
  }

  rows(shard: number, range: RowRange, signal: AbortSignal): Promise<FeedStretch | 'gone'> {
    return this.#pass(signal, () => this.#source.rows(shard, range, signal));
  }

  snapshot(sink: SnapshotSink, signal: AbortSignal) {
    return this.#pass(signal, () => this.#source.snapshot(sink, signal));
  }

  subscribe(_from: Heads, listener: FeedListener): FeedSubscription {
    if (this.pushes) this.listeners.add(listener);
    return { close: () => this.listeners.delete(listener) };
  }

  #pass<Answer>(signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
    if (this.state === 'on') return ask();
    if (this.state === 'off') return Promise.reject(new Error('the relay is away'));
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
}

import type {
  FeedListener,
  FeedSource,
  FeedStretch,
  FeedSubscription,
  Heads,
} from '../../feed/feed-source.ts';

export type PushFault = 'none' | 'twice' | 'reordered' | 'dropped';

/** What may happen to pushes on their way, whoever carries them; `rest` is left alone. */
export class PushFaults {
  #fault: PushFault = 'none';

  set(fault: PushFault): void {
    this.#fault = fault;
  }

  on(source: FeedSource): FeedSource {
    return {
      lease: (ask, signal) => source.lease(ask, signal),
      rows: (shard, range, signal) => source.rows(shard, range, signal),
      snapshot: (sink, signal) => source.snapshot(sink, signal),
      subscribe: (from, listener) => this.#subscribe(source, from, listener),
    };
  }

  #subscribe(source: FeedSource, from: Heads, listener: FeedListener): FeedSubscription {
    const held: FeedStretch[] = [];
    const told: FeedListener = {
      stretch: (stretch) => {
        if (this.#fault === 'dropped') return;
        if (this.#fault === 'reordered') {
          held.push(stretch);
          if (held.length >= heldMax) for (const late of held.splice(0).reverse()) listener.stretch(late);
          return;
        }
        for (const late of held.splice(0).reverse()) listener.stretch(late);
        listener.stretch(stretch);
        if (this.#fault === 'twice') listener.stretch(stretch);
      },
      wanted: () => listener.wanted(),
      ended: (error) => listener.ended(error),
    };
    return source.subscribe?.(from, told) ?? { close() {} };
  }
}

const heldMax = 3;

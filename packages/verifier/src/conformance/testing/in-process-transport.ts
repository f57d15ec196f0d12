import type { FeedListener, FeedSource, FeedSubscription, Heads } from '../../feed/feed-source.ts';
import type { MemoryAuthority } from './memory-authority.ts';
import { PushFaults } from './push-faults.ts';
import type { Transport, TransportFaults } from './transport-bench.ts';

/** The relay's own source, in the same process, through a way that can be made deaf, dumb and broken. */
export async function openInProcess(
  authority: MemoryAuthority,
  wrap: (source: FeedSource) => FeedSource = (source) => source,
): Promise<Transport> {
  const pushes = new PushFaults();
  const way = new Way();
  return {
    faults: wayFaults(way, pushes),
    open: async () => {
      const source = wrap(way.on(pushes.on(authority.relay.sourceFor({}))));
      return { source, close() {} };
    },
    close: async () => way.set('open'),
  };
}

function wayFaults(way: Way, pushes: PushFaults): TransportFaults {
  return {
    silence: () => way.set('silent'),
    breakAll: () => way.set('broken'),
    duplicate: () => pushes.set('twice'),
    reorder: () => pushes.set('reordered'),
    dropPushes: () => pushes.set('dropped'),
    heal() {
      pushes.set('none');
      way.set('open');
    },
  };
}

type WayState = 'open' | 'silent' | 'broken';

/** Carries calls and pushes, holds them, or breaks. */
class Way {
  #state: WayState = 'open';
  #changed = Promise.withResolvers<void>();
  readonly #listeners = new Set<() => void>();

  set(state: WayState): void {
    this.#state = state;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
    if (state === 'broken') for (const end of [...this.#listeners]) end();
  }

  on(source: FeedSource): FeedSource {
    return {
      lease: (ask, signal) => this.#through(() => source.lease(ask, signal)),
      rows: (shard, range, signal) => this.#through(() => source.rows(shard, range, signal)),
      snapshot: (sink, signal) => this.#through(() => source.snapshot(sink, signal)),
      subscribe: (from, listener) => this.#subscribe(source, from, listener),
    };
  }

  async #through<Result>(call: () => Promise<Result>): Promise<Result> {
    await this.#passable();
    const result = await call();
    await this.#passable();
    return result;
  }

  async #passable(): Promise<void> {
    while (this.#state === 'silent') await this.#changed.promise;
    if (this.#state === 'broken') throw new Error('the way is broken');
  }

  #subscribe(source: FeedSource, from: Heads, listener: FeedListener): FeedSubscription {
    const close = () => {
      this.#listeners.delete(end);
      inner?.close();
    };
    const end = () => {
      close();
      listener.ended(new Error('the way is broken'));
    };
    let inner: FeedSubscription | undefined;
    if (this.#state === 'broken') {
      end();
      return { close };
    }
    this.#listeners.add(end);
    inner = source.subscribe?.(from, {
      // What is pushed into silence is lost to this process: there is no socket to keep it.
      stretch: (stretch) => this.#state === 'open' && listener.stretch(stretch),
      wanted: () => this.#state === 'open' && listener.wanted(),
      ended: end,
    });
    return { close };
  }
}

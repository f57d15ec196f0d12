import type { FeedListener, FeedStretch, FeedSubscription } from '../feed/feed-source.ts';
import { type FeedFilter, filtered, filterText } from './feed-filter.ts';

interface Group {
  readonly filter: FeedFilter;
  readonly listeners: Set<FeedListener>;
}

/**
 * Everyone who is told of what commits. Readers of the same filter are a group and get the very same object, so
 * that whoever writes it out encodes it once for a thousand of them. A listener that throws has ended; it is never
 * waited for, and what it leaves lying is bounded where it is written out.
 */
export class FanOut {
  readonly #groups = new Map<string, Group>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(filter: FeedFilter, listener: FeedListener): FeedSubscription {
    const text = filterText(filter);
    const group = this.#groups.get(text) ?? { filter, listeners: new Set<FeedListener>() };
    this.#groups.set(text, group);
    group.listeners.add(listener);
    this.#size += 1;
    return {
      close: () => {
        if (!group.listeners.delete(listener)) return;
        this.#size -= 1;
        if (group.listeners.size === 0 && this.#groups.get(text) === group) this.#groups.delete(text);
      },
    };
  }

  stretch(stretch: FeedStretch): void {
    for (const { filter, listeners } of [...this.#groups.values()]) {
      const theirs = filtered(filter, stretch);
      for (const listener of [...listeners]) this.#tell(listener, () => listener.stretch(theirs));
    }
  }

  wanted(): void {
    for (const listener of this.#everyone()) this.#tell(listener, () => listener.wanted());
  }

  /** Ends every subscription. */
  end(error: unknown): void {
    const everyone = this.#everyone();
    this.#groups.clear();
    this.#size = 0;
    for (const listener of everyone) this.#tell(listener, () => listener.ended(error));
  }

  #everyone(): readonly FeedListener[] {
    return [...this.#groups.values()].flatMap(({ listeners }) => [...listeners]);
  }

  #tell(listener: FeedListener, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      for (const { listeners } of this.#groups.values()) if (listeners.delete(listener)) this.#size -= 1;
      listener.ended(error);
    }
  }
}

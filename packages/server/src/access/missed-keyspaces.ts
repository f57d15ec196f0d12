import type { WorkspaceId } from '@keyswarm/core';
import { missedKeyspaceMs, missedKeyspacesMax } from '../limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { KeyspaceFinder } from './feed-scope.ts';

/**
 * Remembers for a second that a keyspace isn't there. A management key may name one that is still to be made, and what
 * it may read is reckoned at every lease ask: without this, each of a thousand verifiers would make a query of each.
 * It may be a second late, and never wrong about one that is there.
 */
export class MissedKeyspaces implements KeyspaceFinder {
  readonly #finder: KeyspaceFinder;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** By workspace and name, until when; the oldest first. */
  readonly #missing = new Map<string, number>();

  constructor(finder: KeyspaceFinder, clock: Pick<Clock, 'monotonicMs'>) {
    this.#finder = finder;
    this.#clock = clock;
  }

  async find(workspaceId: WorkspaceId, idOrName: string) {
    const place = `${workspaceId} ${idOrName}`;
    if (this.#clock.monotonicMs() < (this.#missing.get(place) ?? 0)) return undefined;
    // From before the look: what is made during it is there at the next.
    const untilMs = this.#clock.monotonicMs() + missedKeyspaceMs;
    const found = await this.#finder.find(workspaceId, idOrName);
    this.#missing.delete(place);
    if (found !== undefined) return found;
    if (this.#missing.size >= missedKeyspacesMax) this.#missing.clear();
    this.#missing.set(place, untilMs);
    return undefined;
  }
}

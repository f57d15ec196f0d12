import type { RelayMove } from '../http/relay-pool.ts';

/**
 * `loading`: nothing has been leased yet, every answer is stale. `fresh`: the lease is younger than half the smallest lease of any
 * keyspace known here. `aging`: older than that; everything is still served, and whoever is on duty should look.
 * `stale`: older than the largest; nothing is VALID. In between, each keyspace goes stale by its own lease. `refused`:
 * the relays refuse the credential (401, 403, 404); what is resident serves until its lease ends. `closed`: for good.
 */
export type VerifierState = 'loading' | 'fresh' | 'aging' | 'stale' | 'refused' | 'closed';

export interface StateChange {
  readonly state: VerifierState;
  readonly before: VerifierState;
  /** ms; undefined: no lease. */
  readonly leaseAgeMs: number | undefined;
  /** Why no news comes, when none does. */
  readonly reason: unknown;
}

export interface VerifierEvents {
  readonly loading: StateChange;
  readonly fresh: StateChange;
  readonly aging: StateChange;
  readonly stale: StateChange;
  readonly refused: StateChange;
  readonly closed: StateChange;
  /** The shards that can't be brought up to date changed; empty: all are again. */
  readonly quarantined: { readonly shards: readonly number[]; readonly reason: unknown };
  /** A round with the relays failed. What is resident serves on. Told once an outage. */
  readonly unreachable: { readonly error: unknown };
  /** Another relay is followed now. */
  readonly moved: RelayMove;
}

export type VerifierEvent = keyof VerifierEvents;
export type Listener<Event> = (event: Event) => void;

/** Listeners by name. One that throws is told to `onError`, and keeps nobody else from hearing. */
export class Listeners {
  readonly #byName = new Map<VerifierEvent, Set<(event: never) => void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  on<Name extends VerifierEvent>(name: Name, listener: Listener<VerifierEvents[Name]>): () => void {
    const listeners = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit<Name extends VerifierEvent>(name: Name, event: VerifierEvents[Name]): void {
    for (const listener of [...(this.#byName.get(name) ?? [])]) {
      try {
        // Kept under the name that it was given for.
        (listener as Listener<VerifierEvents[Name]>)(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  clear(): void {
    this.#byName.clear();
  }
}

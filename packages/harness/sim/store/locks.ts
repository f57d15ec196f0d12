import { SqlError, sqlstates } from '@keyswarm/server/rooms/storage/sql-error';

/** Who holds locks. */
export interface LockHolder {
  /** The one that it waits for. */
  waitsFor: LockHolder | undefined;
}

interface Waiter {
  readonly holder: LockHolder;
  readonly go: () => void;
  readonly giveUp: (error: unknown) => void;
}

interface Lock {
  holder: LockHolder;
  readonly waiters: Waiter[];
}

/** Row locks, waited for in the order in which they were asked for. Who would close a circle is refused (40P01). */
export class Locks {
  readonly #locks = new Map<string, Lock>();
  readonly #held = new Map<LockHolder, Set<string>>();
  readonly #later: (run: () => void) => void;

  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  /** Undefined: it is held now. */
  take(holder: LockHolder, name: string): Promise<void> | undefined {
    const lock = this.#locks.get(name);
    if (lock === undefined) {
      this.#locks.set(name, { holder, waiters: [] });
      this.#note(holder, name);
      return undefined;
    }
    if (lock.holder === holder) return undefined;
    for (let other: LockHolder | undefined = lock.holder; other !== undefined; other = other.waitsFor) {
      if (other === holder)
        throw new SqlError({ sqlstate: sqlstates.deadlock, statement: 'a simulated lock' });
    }
    holder.waitsFor = lock.holder;
    return new Promise((go, giveUp) => lock.waiters.push({ holder, go, giveUp }));
  }

  /** All that it holds, and its places in the queues. */
  release(holder: LockHolder): void {
    if (holder.waitsFor !== undefined) this.#leaveQueues(holder);
    const names = this.#held.get(holder) ?? [];
    this.#held.delete(holder);
    for (const name of names) {
      const lock = this.#locks.get(name);
      const next = lock?.waiters.shift();
      if (lock === undefined || next === undefined) {
        this.#locks.delete(name);
        continue;
      }
      lock.holder = next.holder;
      next.holder.waitsFor = undefined;
      for (const waiter of lock.waiters) waiter.holder.waitsFor = next.holder;
      this.#note(next.holder, name);
      this.#later(next.go);
    }
  }

  #leaveQueues(holder: LockHolder): void {
    holder.waitsFor = undefined;
    for (const { waiters } of this.#locks.values()) {
      const at = waiters.findIndex((waiter) => waiter.holder === holder);
      if (at === -1) continue;
      const [left] = waiters.splice(at, 1);
      left?.giveUp(new Error('the transaction has ended'));
    }
  }

  #note(holder: LockHolder, name: string): void {
    const held = this.#held.get(holder) ?? new Set();
    this.#held.set(holder, held.add(name));
  }
}

import { Fault, type FeedRow } from '@keyswarm/core';
import type { Follower } from '../follow/follower.ts';
import type { FollowerState } from '../follow/follower-state.ts';

/**
 * A follower that begins when something else is done, so that a table which is loaded from disk is followed from where
 * it ends. To everybody else it is one that is starting.
 */
export class LateFollower implements Follower {
  readonly ready: Promise<void>;
  readonly #begun: Promise<Follower | undefined>;
  #follower: Follower | undefined;
  #isStopped = false;

  constructor(before: Promise<void>, start: () => Follower) {
    this.#begun = before.then(() => {
      if (this.#isStopped) return undefined;
      this.#follower = start();
      return this.#follower;
    });
    // One that was stopped before it began is never ready, as any other that was stopped.
    this.ready = this.#begun.then((follower) => follower?.ready ?? new Promise<void>(() => {}));
  }

  get state(): FollowerState {
    if (this.#follower !== undefined) return this.#follower.state;
    return this.#isStopped ? { kind: 'stopped' } : { kind: 'starting' };
  }

  get pushRecreations(): number {
    return this.#follower?.pushRecreations ?? 0;
  }

  applyCommitted(rows: readonly FeedRow[]): void {
    this.#follower?.applyCommitted(rows);
  }

  wake(): void {
    this.#follower?.wake();
  }

  async catchUp(): Promise<void> {
    const follower = await this.#begun;
    if (follower === undefined) throw new Fault('shutting_down', { detail: 'The feed has ended.' });
    await follower.catchUp();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await (await this.#begun)?.stop();
  }
}

import type { WorkspaceId } from '@keyswarm/core';
import { type FeedFilter, type KeyUse, letsKeyspace } from '@keyswarm/verifier';
import { usesFlushMs, usesWaitingMax, usesWrittenAtOnceMax } from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import { type VersionUseRow, writeUses } from '../storage/statements/write-uses.ts';
import type { Store } from '../storage/store.ts';

/*
 * Where the uses of rotating keys come in: those that this process accepted itself, and those that verifiers tell with
 * their asks. They are merged, the first and the last of each version, and written about once a second by one
 * statement for many. What this process takes with it when it dies is what it took in that second.
 *
 * Bounded: past so many versions that wait, which is a store that can't be written, none are taken any more. Whoever
 * told them keeps them, and this process's own stay in its table.
 */

export interface UseSinkOptions {
  readonly store: Store;
  readonly shards: number;
  /** Uses that this process's own verifier has accepted, each handed out once. */
  readonly take: (countMax: number) => readonly KeyUse[];
  readonly timers: Timers;
  /** How long after a rotation its new version was first used, ms. Told once for each, by whoever wrote it. */
  readonly onFirstUse?: ((ms: number) => void) | undefined;
  readonly onProblem: (error: unknown) => void;
}

export class UseSink {
  readonly #options: UseSinkOptions;
  readonly #waiting = new Map<string, VersionUseRow>();
  #underWay: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #cancel: () => void = () => {};

  constructor(options: UseSinkOptions) {
    this.#options = options;
  }

  /** Versions that wait to be written. */
  get waiting(): number {
    return this.#waiting.size;
  }

  start(): void {
    this.#cancel = this.#options.timers.every(usesFlushMs, () => {
      void this.flush().catch(this.#options.onProblem);
    });
  }

  /** Writes what there is, once more. */
  async stop(): Promise<void> {
    this.#cancel();
    await this.flush().catch(this.#options.onProblem);
  }

  /**
   * What a verifier told that may read what the filter lets through; the rest of it is left out. False: there is no
   * room, and nothing was taken.
   */
  accept(filter: FeedFilter, uses: readonly KeyUse[]): boolean {
    if (this.#waiting.size + uses.length > usesWaitingMax) return false;
    for (const use of uses) if (letsKeyspace(filter, use.keyspaceId)) this.#add(use, filter.workspaceId);
    return true;
  }

  /** Resolves once all that was accepted here or taken before this call is stored. Rejects as the store does. */
  flush(): Promise<void> {
    if (this.#underWay === undefined) return this.#begin();
    this.#next ??= this.#underWay
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  #begin(): Promise<void> {
    const write = this.#write().finally(() => {
      if (this.#underWay === write) this.#underWay = undefined;
    });
    this.#underWay = write;
    return write;
  }

  async #write(): Promise<void> {
    const { store, shards, take, onFirstUse } = this.#options;
    for (const use of take(usesWaitingMax - this.#waiting.size)) this.#add(use, undefined);
    const rows = [...this.#waiting.values()];
    for (let from = 0; from < rows.length; from += usesWrittenAtOnceMax) {
      const part = rows.slice(from, from + usesWrittenAtOnceMax);
      const firstUses = await store.transaction((tx) => writeUses(tx, part, shards));
      // One that was told again meanwhile is another row, and waits for the next write.
      for (const row of part) if (this.#waiting.get(nameOf(row)) === row) this.#waiting.delete(nameOf(row));
      for (const ms of firstUses) onFirstUse?.(ms);
    }
  }

  #add({ keyId, keyspaceId, version, atMs }: KeyUse, workspaceId: WorkspaceId | undefined): void {
    const told = { keyId, keyspaceId, workspaceId, version, firstAtMs: atMs, lastAtMs: atMs };
    const known = this.#waiting.get(nameOf(told)) ?? told;
    this.#waiting.set(nameOf(told), {
      ...told,
      firstAtMs: Math.min(known.firstAtMs, atMs),
      lastAtMs: Math.max(known.lastAtMs, atMs),
    });
  }
}

/** Nobody's word takes the place of another's: of two that tell of one key from two workspaces, one is dropped later. */
function nameOf({ keyId, keyspaceId, workspaceId, version }: VersionUseRow): string {
  return `${keyId} ${version} ${keyspaceId} ${workspaceId ?? ''}`;
}

import { loadSnapshot } from '../disk/load-snapshot.ts';
import { saveSnapshot } from '../disk/save-snapshot.ts';
import type { FeedStretch } from '../feed/feed-source.ts';
import { snapshotSavePeriodMs, snapshotTailRowsMax } from '../limits.ts';
import { type Random, unitInterval } from '../runtime/random.ts';
import type { CancelTimer, Timers } from '../runtime/timers.ts';
import type { Applied, AppliedObserver, ResidentVerifier } from '../verifier-port.ts';
import type { VerifierLog } from './verifier-api.ts';

export interface SnapshotKeeperPorts {
  readonly timers: Timers;
  readonly random: Random;
  readonly log: VerifierLog | undefined;
}

export interface KeptSnapshot {
  readonly path: string;
  /** Whose facts: a snapshot of another credential or of other keyspaces isn't loaded. */
  readonly identity: string;
}

/**
 * Keeps a snapshot on disk, for the next process to begin from instead of from nothing: loaded once before the feed is
 * followed, written now and then and at the end. What fails here is told in a line of the log and costs a longer start;
 * no verdict depends on it, since what is loaded has no lease.
 */
export class SnapshotKeeper implements AppliedObserver {
  readonly #kept: KeptSnapshot;
  readonly #ports: SnapshotKeeperPorts;
  readonly #passOn: AppliedObserver | undefined;
  readonly #closed = new AbortController();
  /** What is applied while a snapshot is written; undefined: none is. */
  #tail: Tail | undefined;
  #cancel: CancelTimer | undefined;
  #saving: Promise<void> | undefined;

  /** `passOn` is told of all that this one is told of, before it. */
  constructor(kept: KeptSnapshot, ports: SnapshotKeeperPorts, passOn: AppliedObserver | undefined) {
    this.#kept = kept;
    this.#ports = ports;
    this.#passOn = passOn;
  }

  applied(stretch: FeedStretch): void {
    this.#passOn?.applied(stretch);
    this.#tail?.add(stretch);
  }

  reloaded(applied: Applied): void {
    this.#passOn?.reloaded(applied);
    this.#tail?.fail('another table took over');
  }

  /** Never rejects. */
  async load(resident: ResidentVerifier): Promise<void> {
    const { log } = this.#ports;
    try {
      const { path, identity } = this.#kept;
      const result = await loadSnapshot(path, { verifier: resident, identity }, this.#closed.signal);
      if (result.loaded)
        log?.info({}, 'a snapshot was loaded from disk; it is stale until the feed is followed');
      else if (result.why !== 'missing')
        log?.warn({ why: result.why, detail: result.detail }, 'the snapshot on disk was not used');
    } catch {
      // Closed meanwhile.
    }
  }

  keepSaving(resident: ResidentVerifier): void {
    if (this.#closed.signal.aborted) return;
    const { timers, random } = this.#ports;
    this.#cancel = timers.after(snapshotSavePeriodMs * (0.5 + unitInterval(random) / 2), () => {
      void this.save(resident).then(() => this.keepSaving(resident));
    });
  }

  /** Never rejects. One at a time: a call during another one waits for that, and is content. */
  save(resident: ResidentVerifier): Promise<void> {
    this.#saving ??= this.#save(resident).finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  /** Ends what is loaded, and the writing from time to time. */
  stop(): void {
    this.#closed.abort(new Error('closed'));
    this.#cancel?.();
  }

  /** Writes it a last time. */
  async close(resident: ResidentVerifier): Promise<void> {
    this.stop();
    await this.#saving;
    await this.save(resident);
  }

  async #save(resident: ResidentVerifier): Promise<void> {
    // A table that couldn't be followed to its end is a worse beginning than the file that is there.
    if (!resident.ready || resident.quarantined.length > 0) return;
    const { path, identity } = this.#kept;
    const heads = resident.applied();
    const tail = new Tail(heads);
    this.#tail = tail;
    try {
      await saveSnapshot(path, {
        heads,
        view: resident.view,
        ageMs: undefined,
        facts: resident.facts(),
        tail: () => ({ stretches: tail.taken(), heads: resident.applied() }),
        identity,
      });
    } catch (error) {
      this.#ports.log?.warn({ err: withoutPath(error) }, 'the snapshot could not be written');
    } finally {
      this.#tail = undefined;
    }
  }
}

class Tail {
  readonly #epoch: number;
  readonly #stretches: FeedStretch[] = [];
  #rows = 0;
  #failed: string | undefined;

  constructor({ epoch }: Applied) {
    this.#epoch = epoch;
  }

  add(stretch: FeedStretch): void {
    this.#rows += Math.max(1, stretch.rows.length);
    if (stretch.epoch !== this.#epoch) this.fail('another epoch');
    else if (this.#rows > snapshotTailRowsMax) this.fail('too much was applied meanwhile');
    else this.#stretches.push(stretch);
  }

  fail(why: string): void {
    this.#failed = why;
    this.#stretches.length = 0;
  }

  taken(): readonly FeedStretch[] {
    if (this.#failed !== undefined) throw new Error(this.#failed);
    return this.#stretches;
  }
}

/** Messages of the system name the file. */
function withoutPath(error: unknown): { readonly message: string } {
  if (!(error instanceof Error)) return { message: 'unknown' };
  return { message: 'code' in error && typeof error.code === 'string' ? error.code : error.message };
}

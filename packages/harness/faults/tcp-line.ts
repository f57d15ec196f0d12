import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TcpFault } from './tcp-proxy.ts';

export type Way = 'to_server' | 'to_client';

export interface LineOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly way: Way;
  /** The fault of this moment. */
  readonly fault: () => TcpFault;
  /** Resolves when the fault has become another one. */
  readonly changed: () => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
  /** Aborted when the wire is closed. */
  readonly closed: AbortSignal;
  /** One end is gone, and the other one is not to hear of it. */
  readonly isOrphaned: () => boolean;
}

interface Parcel {
  /** Undefined: the end of what is sent this way. */
  readonly bytes: Buffer | undefined;
  readonly dueAtMs: number;
}

/** What a line holds before it reads no further; then the sender is slowed down, as by a window that is full. */
const underWayBytesMax = 4 * 1024 * 1024;
/** With a bandwidth, a piece takes this long: short enough that a change of the fault is felt at once. */
const pieceMs = 20;

/**
 * One direction of one connection. Bytes are read as they come and written when they are due, in their order: a delay
 * holds each of them, and not the ones behind it a second time.
 */
export class TcpLine {
  readonly #options: LineOptions;
  readonly #parcels: Parcel[] = [];
  #underWayBytes = 0;
  #lastDueAtMs = 0;
  #turned = Promise.withResolvers<void>();

  constructor(options: LineOptions) {
    this.#options = options;
  }

  async carry(): Promise<void> {
    const { from, to, isOrphaned } = this.#options;
    try {
      await Promise.all([this.#take(), this.#bring()]);
    } catch {
      if (isOrphaned()) return;
      from.destroy();
      to.destroy();
    }
  }

  async #take(): Promise<void> {
    try {
      for await (const bytes of this.#options.from as AsyncIterable<Buffer>) {
        this.#put({ bytes, dueAtMs: this.#dueAtMs() });
        while (this.#underWayBytes >= underWayBytesMax) await this.#turned.promise;
      }
    } finally {
      // Whoever waits for more has to hear of an end that was none, too.
      this.#put({ bytes: undefined, dueAtMs: this.#dueAtMs() });
    }
  }

  async #bring(): Promise<void> {
    const { closed } = this.#options;
    for (;;) {
      const parcel = this.#parcels[0];
      if (parcel === undefined) {
        await this.#turned.promise;
        continue;
      }
      const leftMs = parcel.dueAtMs - performance.now();
      if (leftMs > 0) await sleep(leftMs, undefined, { signal: closed });
      if (parcel.bytes !== undefined) await this.#write(parcel.bytes);
      this.#parcels.shift();
      this.#underWayBytes -= parcel.bytes?.length ?? 0;
      this.#turn();
      if (parcel.bytes !== undefined) continue;
      await this.#passable();
      this.#end();
      return;
    }
  }

  #end(): void {
    const { from, to, isOrphaned } = this.#options;
    if (!isOrphaned()) to.end();
    else if (to.destroyed) from.destroy();
  }

  async #write(bytes: Buffer): Promise<void> {
    const { to, fault, closed, isOrphaned } = this.#options;
    let at = 0;
    while (at < bytes.length) {
      await this.#passable();
      if (to.destroyed) {
        if (isOrphaned()) return;
        throw new Error('nobody is there any more');
      }
      const { bandwidthBytesPerSecond, sliceBytes = bytes.length } = fault();
      const budget =
        bandwidthBytesPerSecond === undefined
          ? bytes.length
          : Math.max(1, Math.floor((bandwidthBytesPerSecond * pieceMs) / 1000));
      const piece = bytes.subarray(at, at + Math.min(sliceBytes, budget));
      at += piece.length;
      if (!to.write(piece)) await once(to, 'drain', { signal: closed });
      if (bandwidthBytesPerSecond !== undefined)
        await sleep((piece.length * 1000) / bandwidthBytesPerSecond, undefined, { signal: closed });
    }
  }

  async #passable(): Promise<void> {
    const { fault, changed, way } = this.#options;
    while (fault().hold === 'both' || fault().hold === way) await changed();
  }

  #dueAtMs(): number {
    const { latencyMs = 0, jitterMs = 0 } = this.#options.fault();
    const lateMs = latencyMs + jitterMs * this.#options.random();
    this.#lastDueAtMs = Math.max(this.#lastDueAtMs, performance.now() + lateMs);
    return lateMs === 0 ? 0 : this.#lastDueAtMs;
  }

  #put(parcel: Parcel): void {
    this.#parcels.push(parcel);
    this.#underWayBytes += parcel.bytes?.length ?? 0;
    this.#turn();
  }

  #turn(): void {
    this.#turned.resolve();
    this.#turned = Promise.withResolvers<void>();
  }
}

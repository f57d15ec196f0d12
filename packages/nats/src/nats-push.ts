import type { FeedListener, FeedSubscription } from '@keyswarm/verifier';
import type { Timers } from '@keyswarm/verifier/timers';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { KnownKeyspaces } from './known-keyspaces.ts';
import { beatBytesMax, deafBeats, moveBeats, moveBeatsMax } from './limits.ts';
import type { NatsLink } from './nats-link.ts';
import { readStream } from './read-stream.ts';
import { stretchOfMessage } from './stretch-payload.ts';
import type { Subjects } from './subjects.ts';

/*
 * What is pushed over NATS. Live messages come by a plain subscription, and the stream only fills the hole after a
 * reconnection. The reason is measured: with three nodes and a message every 20 ms, an ordered JetStream consumer
 * was deaf for the whole 45 s that followed the SIGKILL of the stream's leader, and of the node that held the
 * consumer; a plain subscription to the same subject missed nothing (longest gap 145 ms and 340 ms). It needs no
 * leader: a server hands a message to those who listen before the stream has stored it.
 *
 * The watchdog counts beats without a word from any publisher: after three the subscription is made anew, after
 * six the server is left for another, then again after twice as long each time. Meanwhile the other transport
 * pushes, if it can. None of it is needed for a promise: rows that weren't brought are read.
 */

export interface NatsPushOptions {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  /** Of JetStream. */
  readonly domain?: string | undefined;
  readonly timers: Timers;
  readonly beatMs: number;
  readonly known: KnownKeyspaces;
  readonly listener: FeedListener;
  /** Kept from one subscription to the next. */
  readonly progress: PushProgress;
  /** Subscribes by the other transport; undefined when it pushes nothing. */
  readonly otherPush: () => FeedSubscription | undefined;
}

/** What a source's subscriptions have seen, for metrics and for going on. */
export interface PushProgress {
  /** Up to where the stream was when this source last heard of it; undefined: never. */
  streamSeq: number | undefined;
  /** Stretches that came, those held back until the relay has said whose they are, and those that were no stretch. */
  received: number;
  /** Of those that came, the ones that the stream had kept. */
  caughtUp: number;
  withheld: number;
  unreadable: number;
  /** Subscriptions made anew, and servers left, for silence. */
  recreations: number;
  moves: number;
  /** Beats since anything was heard, over all subscriptions; and at how many of them the server is left. */
  silentBeats: number;
  moveAtBeats: number;
}

export class NatsPush implements FeedSubscription {
  readonly #options: NatsPushOptions;
  readonly #ends: (() => void)[];
  #subscriptions: Subscription[] = [];
  #other: FeedSubscription | undefined;
  #isCatchingUp = false;
  #isToCatchUpAgain = false;
  #isClosed = false;

  constructor(options: NatsPushOptions) {
    this.#options = options;
    this.#ends = [
      options.link.onConnected((connection, isSame) => {
        if (!isSame) this.#listen(connection);
        void this.#catchUp(connection);
      }),
      options.timers.every(options.beatMs, () => this.#tick()),
    ];
    // Whoever follows takes a push for deaf by what it misses, and sooner than by beats: that goes on counting.
    if (options.progress.silentBeats > 0) this.#tick();
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends.splice(0)) end();
    this.#unsubscribe();
    this.#closeOther();
  }

  #listen(connection: NatsConnection): void {
    const { subjects, listener } = this.#options;
    this.#unsubscribe();
    const on = (subject: string, take: (message: Msg) => void) =>
      connection.subscribe(subject, {
        callback: (error, message) => {
          // An error ends the subscription (no permission, closed): the silence that follows is what is acted on.
          if (error === null && !this.#isClosed) take(message);
        },
      });
    try {
      this.#subscriptions = [
        on(subjects.feedAll, ({ data }) => this.#heard(data)),
        on(subjects.beat, ({ data }) => this.#heardBeat(data)),
        on(subjects.wanted, () => listener.wanted()),
      ];
    } catch {
      // The connection went away in this very moment; the next one calls again.
    }
  }

  #unsubscribe(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe();
  }

  #heard(data: Uint8Array): void {
    this.#notSilent();
    this.#hand(data);
  }

  #heardBeat(data: Uint8Array): void {
    const seq = data.length <= beatBytesMax ? seqOfBeat(data) : undefined;
    if (seq === undefined) return;
    this.#notSilent();
    const { progress } = this.#options;
    if (!this.#isCatchingUp) progress.streamSeq = Math.max(progress.streamSeq ?? 0, seq);
  }

  #notSilent(): void {
    const { link, progress } = this.#options;
    const wasDeaf = progress.silentBeats >= deafBeats;
    progress.silentBeats = 0;
    progress.moveAtBeats = moveBeats;
    this.#closeOther();
    // A broker further up may have been away behind a connection that never broke.
    if (wasDeaf && link.connection !== undefined) void this.#catchUp(link.connection);
  }

  #hand(data: Uint8Array): void {
    const { progress, known, listener } = this.#options;
    progress.received += 1;
    try {
      const stretch = known.admitted(stretchOfMessage(data));
      if (stretch === undefined) progress.withheld += 1;
      else listener.stretch(stretch);
    } catch {
      // Whatever it was, a row that stands in the store is read from there, and a bad one is told of then.
      progress.unreadable += 1;
    }
  }

  #tick(): void {
    const { link, progress } = this.#options;
    progress.silentBeats += 1;
    if (progress.silentBeats < deafBeats) return;
    this.#other ??= this.#options.otherPush();
    const { connection } = link;
    if (connection === undefined) return;
    if (progress.silentBeats === deafBeats) {
      progress.recreations += 1;
      this.#listen(connection);
      void this.#catchUp(connection);
    } else if (progress.silentBeats >= progress.moveAtBeats) {
      progress.moveAtBeats = progress.silentBeats + Math.min(progress.moveAtBeats, moveBeatsMax);
      progress.moves += 1;
      link.move();
    }
  }

  async #catchUp(connection: NatsConnection): Promise<void> {
    const { link, progress, subjects, domain } = this.#options;
    // The one under way may be asking whoever is deaf: it is made again when that has ended.
    this.#isToCatchUpAgain = this.#isCatchingUp;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    // The first time there is nothing to go on from: it only learns where the stream stands.
    const afterSeq = progress.streamSeq ?? Number.MAX_SAFE_INTEGER;
    try {
      const asked = { stream: subjects.stream, afterSeq, domain };
      progress.streamSeq = await readStream(connection, asked, (data) => {
        if (this.#isClosed) return;
        progress.caughtUp += 1;
        this.#hand(data);
      });
    } catch {
      // No stream, no leader, or deaf: the follower reads the rows that it misses.
    } finally {
      this.#isCatchingUp = false;
    }
    if (this.#isToCatchUpAgain && !this.#isClosed && link.connection !== undefined) {
      await this.#catchUp(link.connection);
    }
  }

  #closeOther(): void {
    this.#other?.close();
    this.#other = undefined;
  }
}

function seqOfBeat(data: Uint8Array): number | undefined {
  try {
    const beat: unknown = JSON.parse(new TextDecoder().decode(data));
    if (typeof beat !== 'object' || beat === null || !('seq' in beat)) return undefined;
    return typeof beat.seq === 'number' && Number.isSafeInteger(beat.seq) && beat.seq >= 0
      ? beat.seq
      : undefined;
  } catch {
    return undefined;
  }
}

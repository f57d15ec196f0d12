import type { FeedStretch } from '@keyswarm/verifier';
import { type Random, unitInterval } from '@keyswarm/verifier/random';
import type { Timers } from '@keyswarm/verifier/timers';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { defaultStreamLimits, ensureStream, type StreamLimits } from './ensure-stream.ts';
import { ackMsMax, beatMs, storeAttemptsMax, streamRetryMs, unackedMax } from './limits.ts';
import { MessageBuffer } from './message-buffer.ts';
import type { NatsLink } from './nats-link.ts';
import { jetstreamOptions } from './read-stream.ts';
import { messagesOf, type StretchMessage } from './stretch-payload.ts';
import { defaultPrefix, type Subjects, subjectsOf } from './subjects.ts';

/*
 * Tells the broker what this process has committed. A write is never kept waiting by it and never fails for it:
 * `publish` takes the rows and returns, what can't be sent waits in a bounded buffer, and what does not fit there
 * is dropped and counted. Nobody is wrong for it: whoever follows the feed asks the primary how far it is, and reads
 * the rows that were not brought.
 *
 * A message is sent once to those who listen now, and the stream keeps it for those who come back. Without a stream
 * (no quorum, an election, wrong settings) it is still sent to those who listen.
 *
 * Each publisher says every half second that it is there, and how far the stream was when it last heard of it, so
 * that silence can be told from peace.
 */

export interface FeedPublisherOptions {
  readonly link: NatsLink;
  readonly timers: Timers;
  readonly random: Random;
  /** `keyswarm` unless said otherwise. */
  readonly prefix?: string;
  /** Of JetStream, where the servers are leaves of the cluster that has it. */
  readonly domain?: string | undefined;
  readonly stream: Pick<StreamLimits, 'replicas'> & Partial<StreamLimits>;
  readonly beatMs?: number;
  /** Told when the stream becomes usable, or why it isn't (`StreamDiffers` names the field). Must not throw. */
  readonly onStream?: (problem: unknown) => void;
}

export interface PublisherStats {
  /** Messages that were sent to those who listen. */
  readonly sent: number;
  /** Of those, the ones that the stream has acknowledged. */
  readonly stored: number;
  /** Of those, the ones that the stream did not take in a few tries. */
  readonly unstored: number;
  /** Messages that were never sent: the buffer was full. */
  readonly dropped: number;
  readonly buffered: number;
}

export interface FeedPublisher {
  /** Rows that this process has just committed. Never throws, never waits. */
  publish(stretches: readonly FeedStretch[]): void;
  /** Asks every verifier to tell at once how far it is. */
  want(): void;
  readonly stats: PublisherStats;
  /** Ends it; the link stays. */
  close(): void;
}

export function createFeedPublisher(options: FeedPublisherOptions): FeedPublisher {
  return new NatsFeedPublisher(options);
}

class NatsFeedPublisher implements FeedPublisher {
  readonly #options: FeedPublisherOptions;
  readonly #subjects: Subjects;
  readonly #buffer = new MessageBuffer();
  readonly #id: string;
  readonly #counts = { sent: 0, stored: 0, unstored: 0 };
  readonly #ends: (() => void)[];
  #hasStream = false;
  #isLooking = false;
  #cancelLook = () => {};
  #lastStored = 0;
  #unacked = 0;
  #isClosed = false;

  constructor(options: FeedPublisherOptions) {
    this.#options = options;
    this.#subjects = subjectsOf(options.prefix ?? defaultPrefix);
    this.#id = Math.floor(unitInterval(options.random) * 2 ** 32).toString(36);
    this.#ends = [
      options.link.onConnected((connection) => this.#arrive(connection)),
      options.timers.every(options.beatMs ?? beatMs, () => this.#beat()),
    ];
  }

  get stats(): PublisherStats {
    return { ...this.#counts, dropped: this.#buffer.dropped, buffered: this.#buffer.length };
  }

  publish(stretches: readonly FeedStretch[]): void {
    if (this.#isClosed) return;
    for (const stretch of stretches) {
      for (const message of messagesOf(stretch)) this.#buffer.push({ message, attempts: 0 });
    }
    this.#send();
  }

  want(): void {
    this.#say(this.#subjects.wanted, '');
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook();
    for (const end of this.#ends.splice(0)) end();
  }

  #arrive(connection: NatsConnection): void {
    this.#beat();
    void this.#look(connection);
    this.#send();
  }

  #beat(): void {
    this.#say(this.#subjects.beat, JSON.stringify({ v: 1, from: this.#id, seq: this.#lastStored }));
  }

  #say(subject: string, payload: string): void {
    try {
      this.#options.link.connection?.publish(subject, payload);
    } catch {
      // The connection went away in this very moment.
    }
  }

  /** Makes or checks the stream, and again after a pause until it is as it should be. */
  async #look(connection: NatsConnection): Promise<void> {
    if (this.#isLooking || this.#isClosed) return;
    this.#isLooking = true;
    this.#cancelLook();
    try {
      const manager = await jetstreamManager(connection, jetstreamOptions(this.#options.domain));
      const limits = { ...defaultStreamLimits, ...this.#options.stream };
      this.#lastStored = Math.max(this.#lastStored, await ensureStream(manager, this.#subjects, limits));
      if (!this.#hasStream) this.#options.onStream?.(undefined);
      this.#hasStream = true;
    } catch (error) {
      this.#hasStream = false;
      if (!this.#isClosed) this.#options.onStream?.(error);
      this.#cancelLook = this.#options.timers.after(streamRetryMs, () => {
        const again = this.#options.link.connection;
        if (again !== undefined) void this.#look(again);
      });
    } finally {
      this.#isLooking = false;
    }
  }

  #send(): void {
    const { connection } = this.#options.link;
    if (connection === undefined) return;
    while (this.#unacked < unackedMax) {
      const next = this.#buffer.shift();
      if (next === undefined) return;
      if (this.#hasStream) void this.#store(connection, next);
      else this.#sendUnstored(connection, next.message);
    }
  }

  #sendUnstored(connection: NatsConnection, message: StretchMessage): void {
    try {
      connection.publish(this.#subjects.feedOf(message.shard), message.payload);
      this.#counts.sent += 1;
      this.#counts.unstored += 1;
    } catch {
      this.#buffer.drop();
    }
  }

  async #store(connection: NatsConnection, { message, attempts }: Waiting): Promise<void> {
    this.#unacked += 1;
    if (attempts === 0) this.#counts.sent += 1;
    try {
      const acked = jetstream(connection, jetstreamOptions(this.#options.domain)).publish(
        this.#subjects.feedOf(message.shard),
        message.payload,
        { msgID: message.id, timeout: ackMsMax, retries: 0 },
      );
      this.#lastStored = Math.max(this.#lastStored, (await acked).seq);
      this.#counts.stored += 1;
    } catch {
      // Those who listen have it, or will have it twice: the stream is offered it again, behind what waits.
      if (attempts + 1 < storeAttemptsMax) this.#buffer.push({ message, attempts: attempts + 1 });
      else this.#counts.unstored += 1;
    } finally {
      this.#unacked -= 1;
    }
    this.#send();
  }
}

interface Waiting {
  readonly message: StretchMessage;
  readonly attempts: number;
}

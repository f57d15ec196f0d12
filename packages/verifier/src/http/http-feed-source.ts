import type { IncomingMessage } from 'node:http';
import type { Secret } from '@keyswarm/core';
import type {
  FeedListener,
  FeedSource,
  FeedStretch,
  FeedSubscription,
  LeaseAnswer,
  LeaseAsk,
  RowRange,
  SnapshotEnd,
  SnapshotSink,
  TablePlace,
} from '../feed/feed-source.ts';
import { BadFeedRow } from '../follow/bad-feed-row.ts';
import {
  leaseAskMsMax,
  leaseReplyBytesMax,
  relayPauseMsMax,
  relayPauseMsMin,
  rowsReadMsMax,
  snapshotMsMax,
  snapshotSilentMsMax,
} from '../limits.ts';
import { type Random, unitInterval } from '../runtime/random.ts';
import type { Timers } from '../runtime/timers.ts';
import { FrameReader, frameBytesMax, frameHeadBytes, frameTypes, stretchOfFrame } from '../wire/frames.ts';
import { readSnapshot } from '../wire/snapshot.ts';
import { FeedStreamReader } from './feed-stream-reader.ts';
import {
  type DownstreamVerifier,
  decodeLeaseAnswer,
  encodeLeaseRequest,
  type VerifierIdentity,
} from './lease-messages.ts';
import { BadRowAnswer, RelayCalls } from './relay-calls.ts';
import { BadAnswer, RelayGone, RelayUnreachable } from './relay-errors.ts';

export interface HttpFeedSourceOptions {
  /** `https://relay.example`; a path before `/v1` is kept. */
  readonly url: string;
  /** A management key with the scope `feed:read`. Sent as `Authorization: Bearer`, and shown nowhere. */
  readonly credential: Secret | string;
  readonly identity: VerifierIdentity;
  /** Ids or names; absent: all that the credential may read. */
  readonly keyspaces?: readonly string[] | undefined;
  readonly timers: Timers;
  readonly random: Random;
  /** Shared by the sources of one verifier, so that a relay can be asked for rows that another one named. */
  readonly place?: FeedPlace | undefined;
  /** For a relay: the verifiers that follow it, as told with each ask. */
  readonly downstream?: (() => readonly DownstreamVerifier[]) | undefined;
}

/** The epoch that rows are expected in: that of the last answer. */
export interface FeedPlace {
  epoch: number | undefined;
}

/** A FeedSource that holds connections. */
export interface HttpFeedSource extends FeedSource {
  /** Scheme, host and port of the relay. */
  readonly origin: string;
  subscribe(from: TablePlace, listener: FeedListener): FeedSubscription;
  /** Ends what is under way and closes all connections. */
  close(): void;
}

/**
 * One relay over HTTP, as a source of the feed. Rejects with `RelayRefused`, `RelayBusy`, `RelayGone`,
 * `RelayUnreachable`, `RelayFailed`, `BadAnswer` or `BadFrame`; `BadFeedRow` where the row itself is at fault.
 */
export function createHttpFeedSource(options: HttpFeedSourceOptions): HttpFeedSource {
  return new RelayOverHttp(options);
}

class RelayOverHttp implements HttpFeedSource {
  readonly #options: HttpFeedSourceOptions;
  readonly #calls: RelayCalls;
  readonly #closed = new AbortController();
  /** Streams in a row that ended before their hello. */
  #streamFailures = 0;
  readonly #readers = new Set<FeedStreamReader>();
  readonly #place: FeedPlace;

  constructor(options: HttpFeedSourceOptions) {
    this.#options = options;
    this.#calls = new RelayCalls(options);
    this.#place = options.place ?? { epoch: undefined };
  }

  get origin(): string {
    return this.#calls.origin;
  }

  async lease(ask: LeaseAsk, signal: AbortSignal): Promise<LeaseAnswer> {
    const { identity: verifier, keyspaces, downstream } = this.#options;
    const body = encodeLeaseRequest({ verifier, ask, keyspaces, downstream: downstream?.() ?? [] });
    const answer = await this.#calls.askWhole(
      { method: 'POST', path: '/v1/feed/lease', body, signal: this.#until(signal) },
      { bytesMax: leaseReplyBytesMax, msMax: leaseAskMsMax },
    );
    const heads = decodeLeaseAnswer(jsonOf(answer));
    this.#place.epoch = heads.epoch;
    return heads;
  }

  async rows(shard: number, range: RowRange, signal: AbortSignal): Promise<FeedStretch | 'gone'> {
    const { after, upTo, limit, view } = range;
    const query = this.#query({ epoch: this.#place.epoch ?? 0, shard, after, up_to: upTo, limit, view });
    try {
      const frame = await this.#calls.askWhole(
        { method: 'GET', path: `/v1/feed/rows${query}`, signal: this.#until(signal) },
        { bytesMax: frameBytesMax + frameHeadBytes, msMax: rowsReadMsMax },
      );
      return checkedStretch(onlyFrame(frame), shard, range);
    } catch (error) {
      if (error instanceof RelayGone) return 'gone';
      if (!(error instanceof BadRowAnswer)) throw error;
      const { row } = error;
      if (row.shard !== shard || row.seq !== after + 1)
        throw new BadAnswer('the relay names another row than the first one asked for');
      throw new BadFeedRow(shard, row.seq, row.detail);
    }
  }

  async snapshot(sink: SnapshotSink, signal: AbortSignal): Promise<SnapshotEnd> {
    const overdue = new AbortController();
    const late = (why: string) => overdue.abort(new RelayUnreachable(this.origin, why));
    const cancel = this.#options.timers.after(snapshotMsMax, () => late('the snapshot takes too long'));
    const until = AbortSignal.any([this.#until(signal), overdue.signal]);
    try {
      const path = `/v1/feed/snapshot${this.#query({})}`;
      const reply = await this.#calls.ask({ method: 'GET', path, signal: until });
      const end = await readSnapshot(this.#watched(reply, until, late), sink, until);
      this.#place.epoch = end.epoch;
      return end;
    } catch (error) {
      throw overdue.signal.aborted ? overdue.signal.reason : this.#calls.unreachableFrom(error);
    } finally {
      cancel();
    }
  }

  subscribe(from: TablePlace, listener: FeedListener): FeedSubscription {
    const { epoch, seqs, view } = from;
    const query = this.#query({ epoch, after: seqs.join(','), view });
    const reader = new FeedStreamReader({
      open: (signal) =>
        this.#calls.ask({
          method: 'GET',
          path: `/v1/feed/stream${query}`,
          signal: AbortSignal.any([signal, this.#closed.signal]),
        }),
      origin: this.origin,
      view,
      timers: this.#options.timers,
      listener: {
        stretch: (stretch) => listener.stretch(stretch),
        wanted: () => listener.wanted(),
        ended: (error) => {
          this.#readers.delete(reader);
          this.#streamFailures = reader.greeted ? 0 : this.#streamFailures + 1;
          listener.ended(error);
        },
      },
      describe: (error) => this.#calls.unreachableFrom(error),
    });
    this.#readers.add(reader);
    reader.start(this.#streamPauseMs());
    const close = () => {
      this.#readers.delete(reader);
      reader.close();
    };
    return { close };
  }

  close(): void {
    this.#closed.abort(new RelayUnreachable(this.origin, 'closed'));
    // What is pushed ends with the source, whoever forgot to close it.
    for (const reader of this.#readers) reader.close();
    this.#readers.clear();
    this.#calls.close();
  }

  /** Whoever follows subscribes anew at its next round; a relay that gives no stream is not to be asked in each. */
  #streamPauseMs(): number {
    if (this.#streamFailures === 0) return 0;
    const pauseMs = Math.min(relayPauseMsMax, relayPauseMsMin * 2 ** Math.min(this.#streamFailures - 1, 16));
    return pauseMs * (0.5 + unitInterval(this.#options.random) / 2);
  }

  #until(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closed.signal]);
  }

  #query(members: Readonly<Record<string, string | number | undefined>>): string {
    const { keyspaces } = this.#options;
    const given = Object.entries({ ...members, keyspaces: keyspaces?.join(',') });
    const query = given.flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
    );
    return query.length === 0 ? '' : `?${query.join('&')}`;
  }

  /** The chunks of a body that may not stand still, and that ends with its reader. */
  async *#watched(
    reply: IncomingMessage,
    signal: AbortSignal,
    late: (why: string) => void,
  ): AsyncGenerator<Uint8Array> {
    const { timers } = this.#options;
    const abort = () => reply.destroy(signal.reason instanceof Error ? signal.reason : undefined);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const watch = () => timers.after(snapshotSilentMsMax, () => late('the snapshot has stopped'));
    let cancel = watch();
    try {
      for await (const chunk of reply as AsyncIterable<Buffer>) {
        cancel();
        yield chunk;
        cancel = watch();
      }
    } finally {
      cancel();
      signal.removeEventListener('abort', abort);
      if (!reply.complete) reply.destroy();
    }
  }
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new BadAnswer('the answer is not JSON');
  }
}

function onlyFrame(bytes: Uint8Array): FeedStretch {
  const reader = new FrameReader();
  const frames = reader.push(bytes);
  reader.end();
  const [frame] = frames;
  if (frame === undefined || frames.length > 1 || frame.type !== frameTypes.stretch)
    throw new BadAnswer('the answer is not one stretch');
  return stretchOfFrame(frame.payload);
}

/** What a stretch says of itself has to be what was asked for: its end is believed, and moves a position. */
function checkedStretch(stretch: FeedStretch, shard: number, { after, upTo }: RowRange): FeedStretch {
  if (stretch.shard !== shard || stretch.after !== after)
    throw new BadAnswer('the stretch is not the one that was asked for');
  if (stretch.upTo <= after || stretch.upTo > upTo)
    throw new BadAnswer('the stretch ends outside of what was asked for');
  return stretch;
}

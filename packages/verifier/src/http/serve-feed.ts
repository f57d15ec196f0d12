import type { ServerResponse } from 'node:http';
import type { FeedSource, FeedStretch, FeedView, Heads, RowRange, TablePlace } from '../feed/feed-source.ts';
import {
  feedHeartbeatMs,
  snapshotPaceBytesMin,
  snapshotPaceMs,
  streamBufferedBytesMax,
  writeStallMsMax,
} from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import { encodeFrame, firstStretchFrame, frameTypes, stretchFrame } from '../wire/frames.ts';
import { type SnapshotReading, writeSnapshot } from '../wire/snapshot.ts';

/*
 * The serving end of the feed over HTTP. Who may read, and how many at once, is decided by whoever mounts these:
 * they are called when the head of the answer is still to be written, and everything that has a status of its own
 * (`gone`, a row that can't be read) is returned or thrown before a byte has gone out.
 *
 * A reader is never waited for without a bound. A snapshot goes as fast as its reader takes it and is cut off when
 * that takes nothing for a while, or less than a reader in earnest would. A stream is told and not asked: what a reader leaves lying is counted, and past
 * the bound the stream ends; the reader comes back and asks for what it missed.
 */

export const feedMediaType = 'application/vnd.keyswarm.feed';

export interface ServeTo {
  readonly response: ServerResponse;
  readonly timers: Timers;
}

const head = { 'content-type': feedMediaType, 'cache-control': 'no-store' };

/**
 * A snapshot as frames. Resolves `sent` when the last byte has been handed to the socket, `cut_off` when the reader
 * went away or took nothing for too long. What fails while it is read destroys the socket and rejects: a reader
 * takes no answer that lacks its `end`.
 */
export async function serveSnapshot(
  { response, timers }: ServeTo,
  reading: SnapshotReading,
): Promise<'sent' | 'cut_off'> {
  const gone = goneSignal(response);
  response.writeHead(200, head);
  let sentBytes = 0;
  let pacedBytes = 0;
  // A reader that takes a little now and then would hold its place for hours.
  const stopPacing = timers.every(snapshotPaceMs, () => {
    if (sentBytes - pacedBytes < snapshotPaceBytesMin) response.destroy();
    pacedBytes = sentBytes;
  });
  try {
    for await (const chunk of writeSnapshot(reading, gone)) {
      if (gone.aborted) return 'cut_off';
      sentBytes += chunk.byteLength;
      if (!response.write(chunk) && !(await drained(response, timers, gone))) {
        response.destroy();
        return 'cut_off';
      }
    }
  } catch (error) {
    response.destroy();
    if (gone.aborted) return 'cut_off';
    throw error;
  } finally {
    stopPacing();
  }
  response.end();
  return 'sent';
}

/**
 * One stretch as one frame. `gone` has written nothing; a row that can't be read throws `BadFeedRow`. Both are for
 * the caller to answer (410 `gone`; 422 `bad_feed_row` with `shard` and `seq`).
 */
export async function serveRows(
  { response }: Pick<ServeTo, 'response'>,
  asked: { readonly source: FeedSource; readonly shard: number; readonly range: RowRange },
): Promise<'sent' | 'gone'> {
  const stretch = await asked.source.rows(asked.shard, asked.range, goneSignal(response));
  if (stretch === 'gone') return 'gone';
  const frame = firstStretchFrame(stretch);
  response.writeHead(200, { ...head, 'content-length': frame.byteLength });
  response.end(frame);
  return 'sent';
}

export interface StreamHello {
  /** Where the relay itself stands. */
  readonly heads: Heads;
  readonly ageMs: number | undefined;
  /** Of what is sent. */
  readonly view?: FeedView;
}

export interface StreamAsked {
  readonly source: FeedSource;
  readonly from: TablePlace;
  readonly hello: StreamHello;
}

/**
 * What commits after `from`, as it commits: hello, then stretches, heartbeats and wishes. Returns `gone` with
 * nothing written when the source ends it at once (it holds nothing that far back, or is of another epoch or view); else a
 * promise that resolves when the stream has ended, by either end, with why. Heartbeats are the socket's, and prove
 * nothing but that it carries.
 */
export function serveStream({ response, timers }: ServeTo, asked: StreamAsked): 'gone' | Promise<StreamEnd> {
  const stream = new ServedStream(response, timers);
  const subscription = asked.source.subscribe?.(asked.from, {
    stretch: (stretch) => stream.send(encodedOnce(stretch)),
    wanted: () => stream.send(wantedFrame),
    ended: () => stream.end('source_ended'),
  });
  if (subscription === undefined || stream.hasEnded) return 'gone';
  stream.begin(helloFrame(asked.hello), () => subscription.close());
  return stream.ended;
}

export type StreamEnd = 'reader_left' | 'reader_slow' | 'source_ended';

class ServedStream {
  readonly ended: Promise<StreamEnd>;
  readonly #response: ServerResponse;
  readonly #timers: Timers;
  readonly #resolve: (why: StreamEnd) => void;
  /** What came before the head was written: the source may tell at once what it holds. */
  readonly #early: Uint8Array[] = [];
  #begun = false;
  #hasEnded = false;
  #release: (() => void) | undefined;

  constructor(response: ServerResponse, timers: Timers) {
    this.#response = response;
    this.#timers = timers;
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.ended = promise;
    this.#resolve = resolve;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  begin(hello: Uint8Array, close: () => void): void {
    const stopBeating = this.#timers.every(feedHeartbeatMs, () => this.send(heartbeatFrame));
    this.#release = () => {
      stopBeating();
      close();
    };
    this.#begun = true;
    this.#response.on('close', () => this.end('reader_left'));
    this.#response.writeHead(200, head);
    this.send(hello);
    for (const frame of this.#early) this.send(frame);
    this.#early.length = 0;
    if (this.#response.destroyed) this.end('reader_left');
  }

  send(frame: Uint8Array): void {
    if (this.#hasEnded) return;
    if (!this.#begun) {
      this.#early.push(frame);
      return;
    }
    this.#response.write(frame);
    if (this.#response.writableLength > streamBufferedBytesMax) this.end('reader_slow');
  }

  /** A slow reader's socket is destroyed, since a polite end would queue behind what it does not take. */
  end(why: StreamEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#early.length = 0;
    this.#release?.();
    if (why === 'reader_slow') this.#response.destroy();
    else if (this.#begun) this.#response.end();
    this.#resolve(why);
  }
}

const encoder = new TextEncoder();
const jsonPayload = (value: unknown) => encoder.encode(JSON.stringify(value));
const heartbeatFrame = encodeFrame(frameTypes.heartbeat, jsonPayload({}));
const wantedFrame = encodeFrame(frameTypes.wanted, jsonPayload({}));

function helloFrame({ heads: { epoch, seqs }, ageMs, view }: StreamHello): Uint8Array {
  return encodeFrame(frameTypes.hello, jsonPayload({ v: 1, epoch, seqs, age_ms: ageMs ?? null, view }));
}

/** A stretch that a relay fans out to a thousand readers is encoded once. */
const encoded = new WeakMap<FeedStretch, Uint8Array>();

function encodedOnce(stretch: FeedStretch): Uint8Array {
  const known = encoded.get(stretch);
  if (known !== undefined) return known;
  const frame = stretchFrame(stretch);
  encoded.set(stretch, frame);
  return frame;
}

/** Aborts when the other end has gone. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort(new Error('the reader has gone')));
  if (response.destroyed) gone.abort(new Error('the reader has gone'));
  return gone.signal;
}

/** False when the reader went away, or took nothing for too long. */
function drained(response: ServerResponse, timers: Timers, gone: AbortSignal): Promise<boolean> {
  if (gone.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (ok: boolean) => () => {
      cancel();
      response.off('drain', onDrain);
      gone.removeEventListener('abort', onGone);
      resolve(ok);
    };
    const onDrain = settle(true);
    const onGone = settle(false);
    const cancel = timers.after(writeStallMsMax, settle(false));
    response.on('drain', onDrain);
    gone.addEventListener('abort', onGone, { once: true });
  });
}

import type { IncomingMessage } from 'node:http';
import type { FeedListener, FeedStretch, FeedView } from '../feed/feed-source.ts';
import { BadFeedRow } from '../follow/bad-feed-row.ts';
import { feedHeartbeatMs, silentBeatsMax } from '../limits.ts';
import type { CancelTimer, Timers } from '../runtime/timers.ts';
import { BadFrame, type Frame, FrameReader, frameTypes, stretchOfFrame } from '../wire/frames.ts';
import { headsIn, memberOf, viewIn } from './lease-messages.ts';
import { BadAnswer, RelayUnreachable } from './relay-errors.ts';

export interface FeedStreamReaderOptions {
  readonly open: (signal: AbortSignal) => Promise<IncomingMessage>;
  readonly origin: string;
  /** That was asked for: whoever sends another one is not listened to. */
  readonly view: FeedView;
  readonly timers: Timers;
  readonly listener: FeedListener;
  /** Tells what broke without anything of the request. */
  readonly describe: (error: unknown) => unknown;
}

/**
 * The reading end of one stream. Ends once, with why: at the first thing that isn't what a relay sends, when the
 * connection ends, and when not a byte has come for three heartbeats, since a socket may stay open for ever with
 * nobody at its other end. It does not come back by itself; whoever follows subscribes anew from where it stands.
 */
export class FeedStreamReader {
  readonly #options: FeedStreamReaderOptions;
  readonly #over = new AbortController();
  readonly #frames = new FrameReader();
  #reply: IncomingMessage | undefined;
  #cancelWatch: CancelTimer | undefined;
  /** Looks at the watch since a byte came. */
  #silentBeats = 0;
  #greeted = false;

  constructor(options: FeedStreamReaderOptions) {
    this.#options = options;
  }

  /** Has the relay said hello? */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** Opens it after `delayMs`; until then it is as a stream that brings nothing. */
  start(delayMs: number): void {
    if (delayMs === 0) this.#open();
    else this.#cancelWatch = this.#options.timers.after(delayMs, () => this.#open());
  }

  #open(): void {
    // Looked at once a beat; a timer a chunk would cost more than the chunk.
    this.#cancelWatch = this.#options.timers.every(feedHeartbeatMs, () => this.#look());
    this.#options.open(this.#over.signal).then(
      (reply) => this.#read(reply),
      (error: unknown) => this.#end(error),
    );
  }

  /** Ends it without a word to the listener. */
  close(): void {
    if (this.#over.signal.aborted) return;
    this.#cancelWatch?.();
    this.#over.abort(new RelayUnreachable(this.#options.origin, 'the stream was closed'));
    this.#reply?.destroy();
  }

  #read(reply: IncomingMessage): void {
    if (this.#over.signal.aborted) {
      reply.destroy();
      return;
    }
    this.#reply = reply;
    reply.on('data', (chunk: Uint8Array) => this.#take(chunk));
    reply.on('error', (error) => this.#end(this.#options.describe(error)));
    reply.on('close', () => this.#end(new RelayUnreachable(this.#options.origin, 'the stream has ended')));
  }

  #take(chunk: Uint8Array): void {
    if (this.#over.signal.aborted) return;
    this.#silentBeats = 0;
    try {
      for (const frame of this.#frames.push(chunk)) {
        this.#hear(frame);
        // A listener may have closed it.
        if (this.#over.signal.aborted) return;
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #hear(frame: Frame): void {
    const { listener } = this.#options;
    if (!this.#greeted) {
      checkHello(frame, this.#options.view);
      this.#greeted = true;
      return;
    }
    if (frame.type === frameTypes.stretch) this.#tell(frame);
    else if (frame.type === frameTypes.wanted) listener.wanted();
    else if (frame.type === frameTypes.problem)
      throw new RelayUnreachable(this.#options.origin, 'the relay ended the stream');
    else if (frame.type !== frameTypes.heartbeat)
      throw new BadFrame('a frame that does not belong into a stream');
  }

  /** A row that can't be read is no reason to hear nothing more: the follower meets it when it reads its shard. */
  #tell({ payload }: Frame): void {
    let stretch: FeedStretch;
    try {
      stretch = stretchOfFrame(payload);
    } catch (error) {
      if (error instanceof BadFeedRow) return;
      throw error;
    }
    this.#options.listener.stretch(stretch);
  }

  #look(): void {
    this.#silentBeats += 1;
    if (this.#silentBeats > silentBeatsMax)
      this.#end(new RelayUnreachable(this.#options.origin, 'the stream is silent'));
  }

  #end(error: unknown): void {
    if (this.#over.signal.aborted) return;
    this.close();
    this.#options.listener.ended(error);
  }
}

function checkHello(frame: Frame, view: FeedView): void {
  if (frame.type !== frameTypes.hello) throw new BadFrame('a stream begins with a hello');
  const hello = memberOf(jsonOfFrame(frame), 'hello');
  if (hello.v !== 1) throw new BadAnswer('hello.v is not a version that is known here');
  headsIn(hello, 'hello');
  if (view !== undefined && viewIn(hello, 'hello') !== view)
    throw new BadAnswer('hello.view is not the one that was asked for');
}

function jsonOfFrame({ payload }: Frame): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw new BadFrame('the hello is not JSON');
  }
}

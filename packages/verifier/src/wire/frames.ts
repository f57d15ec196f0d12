import { crc32 } from 'node:zlib';
import {
  decodeFeedRow,
  encodeFeedRow,
  type FeedRow,
  isBadRow,
  type JsonObject,
  shardsMax,
} from '@keyswarm/core';
import type { FeedStretch } from '../feed/feed-source.ts';
import { BadFeedRow } from '../follow/bad-feed-row.ts';
import { frameBytesMax } from '../limits.ts';
import { BadFrame } from './bad-frame.ts';
import { jsonPayload, PayloadFields } from './json-payload.ts';

/*
 * What goes over every wire of the feed, and into a snapshot on disk:
 *
 *   u32 length of the payload | u8 type | u32 CRC-32 of type and payload | payload          (big-endian)
 *
 * The length is looked at before a byte of the payload is kept, the checksum before any of it is read. It is there
 * against broken links, disks and code, not against forgers: who may write the feed is settled by the connection.
 * A reader refuses whatever it doesn't know. To pass over a frame might be to pass over a revocation.
 */

export { frameBytesMax } from '../limits.ts';
export { BadFrame } from './bad-frame.ts';

/** Before each payload. */
export const frameHeadBytes = 9;

export const frameTypes = {
  /** JSON `{v: 1, epoch, seqs, age_ms | null, view?}`: where the sender stands, and what part of the feed it gives. */
  hello: 1,
  /** Binary: see `encode-facts.ts`. */
  facts: 2,
  /** JSON `{epoch, shard, after, up_to, rows}`. */
  stretch: 3,
  heartbeat: 4,
  wanted: 5,
  /** JSON `{epoch, seqs, age_ms | null, keys, owners, keyspaces, signing_keys}`. */
  end: 6,
  /** JSON `{code, detail?}`. */
  problem: 7,
} as const;

export type FrameType = (typeof frameTypes)[keyof typeof frameTypes];

export interface Frame {
  readonly type: FrameType;
  /** May be a part of the chunk that was pushed. */
  readonly payload: Uint8Array;
}

const typesKnown: ReadonlySet<number> = new Set(Object.values(frameTypes));

/** Throws `RangeError` for a payload over `frameBytesMax`. */
export function encodeFrame(type: FrameType, payload: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafeSlow(frameHeadBytes + payload.length);
  frame.set(payload, frameHeadBytes);
  sealFrame(type, frame);
  return frame;
}

/** Writes the head of a frame whose payload stands in it already, after `frameHeadBytes`. */
export function sealFrame(type: FrameType, frame: Uint8Array): void {
  const payload = frame.subarray(frameHeadBytes);
  if (payload.length > frameBytesMax)
    throw new RangeError(`a frame holds at most ${frameBytesMax} bytes, not ${payload.length}`);
  const head = new DataView(frame.buffer, frame.byteOffset, frameHeadBytes);
  head.setUint32(0, payload.length);
  head.setUint8(4, type);
  head.setUint32(5, crc32(payload, crc32(frame.subarray(4, 5))));
}

/**
 * Puts frames together from chunks cut anywhere. Each byte is copied once at the most; a frame that lies within one
 * chunk isn't copied. Once it has thrown, it takes nothing more.
 */
export class FrameReader {
  readonly #head = new Uint8Array(frameHeadBytes);
  #headFilled = 0;
  #payload: Uint8Array | undefined;
  #payloadFilled = 0;
  #broken = false;

  /** The frames that this chunk completes. Throws `BadFrame`. */
  push(chunk: Uint8Array): Frame[] {
    if (this.#broken) throw new BadFrame('nothing is read after a bad frame');
    this.#broken = true;
    const frames: Frame[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#headFilled < frameHeadBytes) at += this.#fillHead(chunk, at);
      if (this.#headFilled < frameHeadBytes) break;
      const length = this.#lengthStated();
      if (this.#payload === undefined && chunk.length - at >= length) {
        frames.push(this.#complete(chunk.subarray(at, at + length)));
        at += length;
      } else {
        const payload = this.#payload ?? new Uint8Array(length);
        const part = chunk.subarray(at, at + length - this.#payloadFilled);
        payload.set(part, this.#payloadFilled);
        this.#payload = payload;
        this.#payloadFilled += part.length;
        at += part.length;
        if (this.#payloadFilled === length) frames.push(this.#complete(payload));
      }
    }
    this.#broken = false;
    return frames;
  }

  /** Nothing more comes. Throws `BadFrame` within a frame. */
  end(): void {
    if (this.#headFilled > 0) throw new BadFrame('the last frame was cut off');
  }

  #fillHead(chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + frameHeadBytes - this.#headFilled);
    this.#head.set(part, this.#headFilled);
    this.#headFilled += part.length;
    return part.length;
  }

  /** Refuses a head as soon as it is there. */
  #lengthStated(): number {
    const view = new DataView(this.#head.buffer);
    const length = view.getUint32(0);
    if (length > frameBytesMax) throw new BadFrame(`a frame holds at most ${frameBytesMax} bytes`);
    if (!isFrameType(view.getUint8(4))) throw new BadFrame('a frame of a type that is not known here');
    return length;
  }

  #complete(payload: Uint8Array): Frame {
    const view = new DataView(this.#head.buffer);
    const type = view.getUint8(4);
    if (!isFrameType(type)) throw new BadFrame('a frame of a type that is not known here');
    if (crc32(payload, crc32(this.#head.subarray(4, 5))) !== view.getUint32(5))
      throw new BadFrame('the checksum of a frame is wrong');
    this.#headFilled = 0;
    this.#payload = undefined;
    this.#payloadFilled = 0;
    return { type, payload };
  }
}

function isFrameType(type: number): type is FrameType {
  return typesKnown.has(type);
}

/** Frames of one stretch: one, or several that follow one another where it is too large for one. */
export function stretchFrame(stretch: FeedStretch): Uint8Array {
  const frames: Uint8Array[] = [];
  let rest = stretch;
  for (;;) {
    const { frame, upTo } = firstPart(rest);
    frames.push(frame);
    if (upTo === rest.upTo) break;
    rest = { ...rest, after: upTo, rows: rest.rows.filter(({ seq }) => seq > upTo) };
  }
  return frames.length === 1 ? (frames[0] ?? noBytes) : Buffer.concat(frames);
}

/** Exactly one frame, with as many of the first rows as it holds; its `up_to` says how far it got. */
export function firstStretchFrame(stretch: FeedStretch): Uint8Array {
  return firstPart(stretch).frame;
}

/**
 * A stretch out of a frame's payload, each row checked as a follower of the store checks it. Rows before one that
 * can't be read are given, and the stretch ends before it; when that is the first one, throws `BadFeedRow`. What
 * isn't a stretch at all throws `BadFrame`.
 */
export function stretchOfFrame(payload: Uint8Array): FeedStretch {
  const { stretch, bad } = readStretch(payload);
  if (bad !== undefined && stretch.upTo === stretch.after) throw bad;
  return stretch;
}

/** The same, all of it or nothing. */
export function wholeStretchOfFrame(payload: Uint8Array): FeedStretch {
  const { stretch, bad } = readStretch(payload);
  if (bad !== undefined) throw bad;
  return stretch;
}

interface ReadStretch {
  readonly stretch: FeedStretch;
  readonly bad?: BadFeedRow;
}

function readStretch(payload: Uint8Array): ReadStretch {
  const fields = new PayloadFields('stretch', payload).only(['epoch', 'shard', 'after', 'up_to', 'rows']);
  const place = {
    epoch: fields.whole('epoch'),
    shard: fields.whole('shard', shardsMax - 1),
    after: fields.whole('after'),
  };
  const upTo = fields.whole('up_to');
  if (upTo < place.after) throw new BadFrame('stretch.up_to lies before stretch.after');
  const rows: FeedRow[] = [];
  let previous = place.after;
  for (const json of fields.list('rows')) {
    const row = decodeFeedRow(json);
    const problem = isBadRow(row) ? row.reason : misplaced(row, place, { after: previous, upTo });
    if (problem !== undefined || isBadRow(row)) {
      // What it says of its number is not believed, so it stands for the first one that it may be.
      const bad = new BadFeedRow(place.shard, previous + 1, problem ?? 'unreadable');
      return { stretch: { ...place, upTo: previous, rows }, bad };
    }
    rows.push(row);
    previous = row.seq;
  }
  return { stretch: { ...place, upTo, rows } };
}

function misplaced(
  row: FeedRow,
  { epoch, shard }: Pick<FeedStretch, 'epoch' | 'shard'>,
  { after, upTo }: Pick<FeedStretch, 'after' | 'upTo'>,
): string | undefined {
  if (row.epoch !== epoch) return 'row.epoch is not that of its stretch';
  if (row.shard !== shard) return 'row.shard is not the shard that it stands in';
  return row.seq > after && row.seq <= upTo ? undefined : 'row.seq is not a number of its place';
}

/** Halved until it fits, which it nearly always does at once. */
function firstPart(stretch: FeedStretch): { readonly frame: Uint8Array; readonly upTo: number } {
  for (let count = stretch.rows.length; ; count = Math.floor(count / 2)) {
    const rows = stretch.rows.slice(0, count);
    const upTo = count === stretch.rows.length ? stretch.upTo : (rows.at(-1)?.seq ?? stretch.after);
    const payload = jsonPayload(jsonOfStretch({ ...stretch, upTo, rows }));
    // One row alone that is too large is nothing that a store holds: `encodeFrame` then throws.
    if (payload.length <= frameBytesMax || count <= 1)
      return { frame: encodeFrame(frameTypes.stretch, payload), upTo };
  }
}

function jsonOfStretch({ epoch, shard, after, upTo, rows }: FeedStretch): JsonObject {
  return { epoch, shard, after, up_to: upTo, rows: rows.map(encodeFeedRow) };
}

const noBytes = new Uint8Array(0);

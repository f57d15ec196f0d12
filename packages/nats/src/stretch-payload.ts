import { decodeFeedRow, encodeFeedRow, type FeedRow, isBadRow, shardsMax } from '@keyswarm/core';
import { BadFeedRow, type FeedStretch } from '@keyswarm/verifier';
import { feedMessageBytesMax } from './limits.ts';

/*
 * A stretch of the feed as one message: the JSON of a stretch frame, {epoch, shard, after, up_to, rows}. What the
 * rows tell of an event beside the facts (`data`) is for people and is left out. A stretch too long for one message
 * becomes several, each with ends of its own.
 */

export interface StretchMessage {
  readonly shard: number;
  /** Of `epoch.shard.up_to`: the same rows have the same id, whoever sends them. */
  readonly id: string;
  readonly payload: Uint8Array;
}

const text = new TextEncoder();

/** `bytesMax` bounds a payload; one row that is longer all by itself gets a message nevertheless. */
export function messagesOf(stretch: FeedStretch, bytesMax = feedMessageBytesMax): readonly StretchMessage[] {
  const messages: StretchMessage[] = [];
  let after = stretch.after;
  let rows: string[] = [];
  let bytes = 0;
  const close = (upTo: number) => {
    messages.push(messageOf(stretch, { after, upTo, rows }));
    after = upTo;
    rows = [];
    bytes = 0;
  };
  for (const row of stretch.rows) {
    const encoded = JSON.stringify(encodeFeedRow({ ...row, data: {} }));
    const length = Buffer.byteLength(encoded);
    if (rows.length > 0 && bytes + length > bytesMax) close(row.seq - 1);
    rows.push(encoded);
    bytes += length;
  }
  if (after < stretch.upTo) close(stretch.upTo);
  return messages;
}

interface Piece {
  readonly after: number;
  readonly upTo: number;
  readonly rows: readonly string[];
}

function messageOf({ epoch, shard }: FeedStretch, { after, upTo, rows }: Piece): StretchMessage {
  const head = `{"epoch":${epoch},"shard":${shard},"after":${after},"up_to":${upTo},"rows":[`;
  return {
    shard,
    id: `${epoch}.${shard}.${upTo}`,
    payload: text.encode(`${head}${rows.join(',')}]}`),
  };
}

/**
 * @throws {BadFeedRow} for a row that does not decode or stands in a place that isn't its own.
 * @throws {Error} for what is no stretch at all, or is longer than any that is sent.
 */
export function stretchOfMessage(payload: Uint8Array): FeedStretch {
  if (payload.length > feedMessageBytesMax * 2) throw new Error('a message of the feed is too long');
  const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  if (typeof json !== 'object' || json === null) throw new Error('a message of the feed is no stretch');
  const { epoch, shard, after, up_to: upTo, rows } = json as Readonly<Record<string, unknown>>;
  const isPlaced = isWhole(epoch) && isWhole(shard) && isWhole(after) && isWhole(upTo);
  if (!isPlaced || shard >= shardsMax || after > upTo || !Array.isArray(rows))
    throw new Error('a message of the feed is no stretch');
  const place = { epoch, shard, after, upTo };
  return { ...place, rows: decodeRows(rows, place) };
}

function decodeRows(rows: readonly unknown[], place: Omit<FeedStretch, 'rows'>): readonly FeedRow[] {
  const { epoch, shard, upTo } = place;
  let last = place.after;
  return rows.map((json) => {
    const row = decodeFeedRow(json);
    if (isBadRow(row)) throw new BadFeedRow(shard, last + 1, row.reason);
    const isInPlace = row.epoch === epoch && row.shard === shard && row.seq > last && row.seq <= upTo;
    if (!isInPlace) throw new BadFeedRow(shard, last + 1, 'row stands in a place that is not its own');
    last = row.seq;
    return row;
  });
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

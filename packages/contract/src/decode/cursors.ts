import { Buffer } from 'node:buffer';
import { Fault, type IdKind, type IdKinds, idFromUuidBytes, shardsMax, uuidBytesOf } from '@keyswarm/core';

/*
 * Cursors: opaque to the caller, base64url, with a version in the first byte so that a later format can be told
 * from this one.
 *
 *   version 1, 'i', 16 bytes of the id                                    a page of a list
 *   version 1, 'e', epoch, number of shards, one sequence number a shard  a place in the events (varints)
 *
 * Decoding is strict: what it accepts encodes back to the same text, so there is one cursor for one place, and a
 * truncated or tampered one is `invalid_field` and not a silent restart from somewhere else. A cursor isn't
 * secret and isn't trusted: every read behind it is bound to the caller's workspace.
 */

const version = 1;
const idMark = 0x69;
const eventsMark = 0x65;
const idCursorBytes = 18;

/** A place in the feed of every shard. */
export interface EventsPosition {
  readonly epoch: number;
  /** Index is the shard. */
  readonly seqs: readonly number[];
}

export function encodeIdCursor(id: IdKinds[IdKind]): string {
  return Buffer.from([version, idMark, ...uuidBytesOf(id)]).toString('base64url');
}

export function decodeIdCursor<Kind extends IdKind>(
  kind: Kind,
  text: string,
  field = 'cursor',
): IdKinds[Kind] {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== idCursorBytes || bytes[0] !== version || bytes[1] !== idMark) throw badCursor(field);
  const id = idFromUuidBytes(kind, bytes.subarray(2));
  if (encodeIdCursor(id) !== text) throw badCursor(field);
  return id;
}

export function encodeEventsCursor(position: EventsPosition): string {
  const bytes: number[] = [version, eventsMark];
  for (const value of [position.epoch, position.seqs.length, ...position.seqs]) pushVarint(bytes, value);
  return Buffer.from(bytes).toString('base64url');
}

export function decodeEventsCursor(text: string, field = 'after'): EventsPosition {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes[0] !== version || bytes[1] !== eventsMark) throw badCursor(field);
  const numbers = readVarints(bytes.subarray(2));
  const [epoch, count, ...seqs] = numbers ?? [];
  if (epoch === undefined || count === undefined || count !== seqs.length || count > shardsMax) {
    throw badCursor(field);
  }
  const position = { epoch, seqs };
  if (encodeEventsCursor(position) !== text) throw badCursor(field);
  return position;
}

/** Seven bits a byte, least significant first, as in LEB128; arithmetic, since numbers go past 32 bits. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** Undefined when a number is past 2^53. One that is cut off at the end is left out: it won't encode back. */
function readVarints(bytes: Uint8Array): number[] | undefined {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte % 0x80) * scale;
    if (!Number.isSafeInteger(value)) return undefined;
    scale *= 0x80;
    if (byte < 0x80) {
      numbers.push(value);
      value = 0;
      scale = 1;
    }
  }
  return numbers;
}

function badCursor(field: string): Fault {
  return new Fault('invalid_field', {
    detail: 'This cursor was not given out by this server.',
    field,
    expected: '`next_cursor` of an earlier reply, unchanged',
  });
}

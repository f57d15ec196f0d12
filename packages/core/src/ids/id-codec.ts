import { assert } from '../errors/assert.ts';
import { shardsMax } from '../limits/limits.ts';
import { base32Length, base32Value, decodeBase32, encodeBase32, isBase32At } from './base32.ts';
import type { IdKind, IdKinds } from './ids.ts';
import { uuidBytesOfText, uuidTextOf, uuidVersionOf } from './uuid.ts';

/*
 * Between the id that people see (`key_01j…`), the 16 bytes that tables hold and the text that SQL holds. The
 * three are one thing: an id made here from bytes gives the same bytes back, and ids sort as their bytes do.
 */

const heads: { readonly [Kind in IdKind]: string } = {
  ws: 'ws_',
  ks: 'ks_',
  own: 'own_',
  key: 'key_',
  camp: 'camp_',
  appr: 'appr_',
  wh: 'wh_',
  sk: 'sk_',
  note: 'note_',
  dl: 'dl_',
};

export type AnyId = IdKinds[IdKind];

/** Is this text an id of that kind, to the letter? Upper case, other kinds and over 128 bits are refused. */
export function parseId<Kind extends IdKind>(kind: Kind, text: string): IdKinds[Kind] | undefined {
  const head = heads[kind];
  if (!text.startsWith(head) || !isBase32At(text, head.length)) return undefined;
  return text as IdKinds[Kind];
}

export function idFromUuidBytes<Kind extends IdKind>(kind: Kind, bytes16: Uint8Array): IdKinds[Kind] {
  return encodeBase32(heads[kind], bytes16) as IdKinds[Kind];
}

export function uuidBytesOf(id: AnyId): Uint8Array {
  return decodeBase32(id, id.length - base32Length);
}

/** The uuid text of an id, for SQL: 36 characters, lower case. */
export function uuidHexOf(id: AnyId): string {
  return uuidTextOf(uuidBytesOf(id));
}

/** The id of a uuid that the store gave back; a text that is no uuid is a bug, not an input. */
export function idFromUuidText<Kind extends IdKind>(kind: Kind, text: string): IdKinds[Kind] {
  const bytes = uuidBytesOfText(text);
  assert(bytes !== undefined, 'the store holds uuids');
  return idFromUuidBytes(kind, bytes);
}

/** When an id was made (Unix ms); undefined for ids made of a name, which hold no time. */
export function idTimeMs(id: AnyId): number | undefined {
  const bytes = uuidBytesOf(id);
  if (uuidVersionOf(bytes) !== 7) return undefined;
  let timeMs = 0;
  for (let at = 0; at < 6; at += 1) timeMs = timeMs * 256 + (bytes[at] ?? 0);
  return timeMs;
}

/** The shard of a thing: the last byte of its UUID, which is the last eight bits of its last two characters. */
export function shardOfId(id: AnyId, shards: number): number {
  const last = base32Value(id.charCodeAt(id.length - 1));
  const beforeLast = base32Value(id.charCodeAt(id.length - 2));
  return shardOfByte(((beforeLast & 7) << 5) | last, shards);
}

/** The shard of a hash or fingerprint: its last byte, so that it agrees with an id that ends in that byte. */
export function shardOfHash(bytes: Uint8Array, shards: number): number {
  assert(bytes.length > 0, 'a hash is not empty');
  return shardOfByte(bytes[bytes.length - 1] ?? 0, shards);
}

function shardOfByte(byte: number, shards: number): number {
  assert(
    Number.isInteger(shards) && shards >= 1 && shards <= shardsMax && (shards & (shards - 1)) === 0,
    'the number of shards is a power of two',
  );
  return byte & (shards - 1);
}

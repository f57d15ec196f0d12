import { createHash } from 'node:crypto';
import type { JsonValue } from '@keyswarm/core';

/*
 * Every change leaves one record, and each record's hash covers the hash of the one before: who alters, removes
 * or inserts a record has to rewrite all that follow, up to the end of the chain in the head row. What is hashed
 * is the very text that is kept, so that checking it needs no agreement on how JSON is written.
 */

/** What stands before the first record of every shard. A body names its shard, so chains can't be exchanged. */
export const auditChainStart: Uint8Array = new Uint8Array(32);

export function chainHash(previous: Uint8Array, body: string): Uint8Array {
  return createHash('sha256').update(previous).update(body, 'utf8').digest();
}

/** JSON with the members of every object in the order of their names: one value, one text. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}

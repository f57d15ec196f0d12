import { Buffer } from 'node:buffer';
import { bytesOfHex, type EventType, eventTypes, Fault, type ImportedFormat } from '@keyswarm/core';
import type { KeyHash } from '../schemas/import.ts';
import { pageLimitDefault } from '../wire-limits.ts';

/* What text in a request means, after its schema has passed it. */

/** `limit` of a query. */
export function pageLimitOf(text: string | undefined): number {
  return text === undefined ? pageLimitDefault : Number(text);
}

/** `types` of a query; undefined: every type. */
export function eventTypesOf(text: string | undefined): readonly EventType[] | undefined {
  if (text === undefined) return undefined;
  const wanted = new Set(text.split(','));
  return eventTypes.filter((type) => wanted.has(type));
}

const hashBytes = 32;

/**
 * The 32 bytes of an imported hash. Strict, because a hash that is read otherwise than it was meant gives a key
 * that never verifies, and its holder learns of it in production.
 */
export function importedHashOf(hash: KeyHash, field: string): Uint8Array {
  const bytes =
    hash.format === 'sha256-base64'
      ? bytesOfBase64(hash.value)
      : bytesOfHex(hash.value.toLowerCase(), hashBytes);
  if (bytes === undefined) {
    throw new Fault('invalid_field', {
      detail: `The hash is not 32 bytes in the form of ${hash.format}.`,
      field,
      expected:
        hash.format === 'sha256-base64'
          ? '43 or 44 characters of base64 or base64url'
          : '64 hexadecimal digits',
    });
  }
  return bytes;
}

/** How the strings of an imported key become fingerprints: hex and base64 only write the same hash otherwise. */
export function importedFormatOf(format: KeyHash['format']): ImportedFormat {
  return format === 'prefixed-api-key' ? 'prefixed_api_key' : 'sha256';
}

/** Both alphabets, padded or not; but the text has to be the one text of these bytes. */
function bytesOfBase64(text: string): Uint8Array | undefined {
  const bare = text.replace(/=$/, '').replaceAll('+', '-').replaceAll('/', '_');
  const bytes = Buffer.from(bare, 'base64url');
  if (bytes.length !== hashBytes || bytes.toString('base64url') !== bare) return undefined;
  return new Uint8Array(bytes);
}

import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { statusListEntries } from '../limits.ts';

/*
 * A token status list (draft-ietf-oauth-status-list): two bits a place, the first place in the lowest bits of the first
 * byte, compressed with zlib, as the one claim of a signed token that anybody may cache.
 *
 * The compression of a full list is 10 to 20 ms of work: it is done on Node's own threads, never where requests are answered.
 */

export const statusBits = 2;
export const statusOf = { valid: 0, invalid: 1, suspended: 2 } as const;
export type StatusValue = (typeof statusOf)[keyof typeof statusOf];

const perByte = 8 / statusBits;
const compress = promisify(deflate);

export class StatusBitmap {
  readonly bytes: Uint8Array;

  constructor(entries = statusListEntries) {
    this.bytes = new Uint8Array(Math.ceil(entries / perByte));
  }

  set(index: number, value: StatusValue): void {
    const at = Math.floor(index / perByte);
    const shift = (index % perByte) * statusBits;
    this.bytes[at] = ((this.bytes[at] ?? 0) & ~(3 << shift)) | (value << shift);
  }

  /** Every place alike: of a keyspace that is suspended as a whole. */
  fill(value: StatusValue): void {
    this.bytes.fill(value | (value << 2) | (value << 4) | (value << 6));
  }

  async compressed(): Promise<string> {
    return (await compress(this.bytes, { level: 9 })).toString('base64url');
  }
}

/** The claims, in the order in which they are written. */
export function statusListClaims(list: {
  readonly issuer: string;
  readonly url: string;
  readonly lst: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly ttlSeconds: number;
}): string {
  const { issuer, url, lst, issuedAt, expiresAt, ttlSeconds } = list;
  return JSON.stringify({
    iss: issuer,
    sub: url,
    iat: issuedAt,
    exp: expiresAt,
    ttl: ttlSeconds,
    status_list: { bits: statusBits, lst },
  });
}

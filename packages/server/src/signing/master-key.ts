import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

export const masterKeyBytes = 32;

/**
 * The one secret of the server itself. Nothing is encrypted under it: each use derives a key of its own with
 * HKDF (RFC 5869), so that what one use leaks helps with no other. The bytes live in a KeyObject, which neither
 * logging nor inspection prints.
 */
export class MasterKey {
  readonly #key: KeyObject;

  constructor(bytes: Uint8Array) {
    if (bytes.length !== masterKeyBytes) throw new RangeError('a master key has 32 bytes');
    this.#key = createSecretKey(bytes);
  }

  /** 32 bytes for one purpose; `context` parts are length-prefixed, so that no two lists of parts collide. */
  subkey(purpose: string, context: readonly string[] = []): Uint8Array {
    const info = [purpose, ...context].map((part) => `${Buffer.byteLength(part)}:${part}`).join('');
    return new Uint8Array(hkdfSync('sha256', this.#key, '', `keyswarm/${info}`, 32));
  }
}

/** 32 bytes from base64, base64url or hexadecimal digits; undefined for anything else. */
export function parseMasterKey(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return new Uint8Array(Buffer.from(trimmed, 'hex'));
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return undefined;
  const bytes = Buffer.from(trimmed, 'base64');
  return bytes.length === masterKeyBytes ? new Uint8Array(bytes) : undefined;
}

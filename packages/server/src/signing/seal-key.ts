import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../runtime/random.ts';
import type { MasterKey } from './master-key.ts';

/*
 * Private signing keys at rest: AES-256-GCM under a key that is derived of the master key for this one signing key. What
 * is authenticated with it is its public key, so that a sealed key can't be moved to another record.
 *
 * A master key is replaced while the one before it is still at hand: what opens only under that one is sealed anew.
 */

export interface MasterKeys {
  readonly current: MasterKey;
  /** Of before a rotation, or the next one: opens, and seals nothing. */
  readonly previous?: MasterKey | undefined;
}

export interface SealedKey {
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly sealed: Uint8Array;
}

export interface OpenedKey {
  /** PKCS #8, DER. */
  readonly bytes: Uint8Array;
  /** False: under the master key of before, and to be sealed anew. */
  readonly isCurrent: boolean;
}

const sealVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;

export class KeySeal {
  readonly #keys: MasterKeys;
  readonly #random: Random;

  constructor(keys: MasterKeys, random: Random) {
    this.#keys = keys;
    this.#random = random;
  }

  seal(key: Omit<SealedKey, 'sealed'>, bytes: Uint8Array): Uint8Array {
    const nonce = this.#random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', subkeyOf(this.#keys.current, key.id), nonce);
    cipher.setAAD(key.publicKey);
    return Buffer.concat([
      Buffer.of(sealVersion),
      nonce,
      cipher.update(bytes),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
  }

  /** Undefined: under no master key that is known here. */
  open(key: SealedKey): OpenedKey | undefined {
    const { current, previous } = this.#keys;
    const bytes = openWith(current, key);
    if (bytes !== undefined) return { bytes, isCurrent: true };
    const before = previous && openWith(previous, key);
    return before && { bytes: before, isCurrent: false };
  }
}

function openWith(master: MasterKey, { id, publicKey, sealed }: SealedKey): Uint8Array | undefined {
  if (sealed[0] !== sealVersion || sealed.length < 1 + nonceBytes + tagBytes) return undefined;
  const nonce = sealed.subarray(1, 1 + nonceBytes);
  const decipher = createDecipheriv('aes-256-gcm', subkeyOf(master, id), nonce, { authTagLength: tagBytes });
  decipher.setAAD(publicKey);
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + nonceBytes, -tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function subkeyOf(master: MasterKey, id: string): Uint8Array {
  return master.subkey('signing key', [id]);
}

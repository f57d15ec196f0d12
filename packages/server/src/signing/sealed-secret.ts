import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Fault, Secret } from '@keyswarm/core';
import type { Random } from '../runtime/random.ts';
import type { MasterKey } from './master-key.ts';
import type { MasterKeys } from './seal-key.ts';

/*
 * A secret that has to be kept because it signs what goes out: AES-256-GCM under a key that is derived from the
 * master key for this one thing, with the thing's own id in the derivation, so that a sealed text which is copied to
 * another row opens nothing. The form is text, since it stands in a JSON document.
 */

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;

export class SecretSealer {
  readonly #keys: MasterKeys;
  readonly #random: Random;
  readonly #purpose: string;

  constructor(masterKey: MasterKey | MasterKeys, random: Random, purpose: string) {
    this.#keys = 'current' in masterKey ? masterKey : { current: masterKey };
    this.#random = random;
    this.#purpose = purpose;
  }

  seal(id: string, secret: Secret): string {
    const nonce = this.#random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#keys.current.subkey(this.#purpose, [id]), nonce);
    const text = cipher.update(secret.reveal(), 'utf8');
    return Buffer.concat([Buffer.of(version), nonce, text, cipher.final(), cipher.getAuthTag()]).toString(
      'base64',
    );
  }

  /** Throws where it was sealed under a master key that is not known here, for another thing, or was changed. */
  open(id: string, sealed: string): Secret {
    const { current, previous } = this.#keys;
    if (previous === undefined) return this.#openWith(current, id, sealed);
    try {
      return this.#openWith(current, id, sealed);
    } catch {
      return this.#openWith(previous, id, sealed);
    }
  }

  #openWith(masterKey: MasterKey, id: string, sealed: string): Secret {
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes[0] !== version || bytes.length < 1 + nonceBytes + tagBytes) throw unreadable();
    const nonce = bytes.subarray(1, 1 + nonceBytes);
    const key = masterKey.subkey(this.#purpose, [id]);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      const text = decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes));
      return new Secret(Buffer.concat([text, decipher.final()]).toString('utf8'));
    } catch {
      throw unreadable();
    }
  }
}

function unreadable(): Fault {
  return new Fault('internal', { detail: 'A kept secret was sealed under another master key.' });
}

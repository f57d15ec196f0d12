import { createCipheriv, createDecipheriv, hash } from 'node:crypto';
import { Fault, type KeyId, type WorkspaceId } from '@keyswarm/core';
import type { IdempotencyTicket, Kept } from '../lanes/lane-port.ts';
import type { Random } from '../runtime/random.ts';
import { canonicalJson } from './canonical-json.ts';
import type { MasterKey } from './master-key.ts';
import { decodeReply, encodeReply } from './reply-codec.ts';
import type { MasterKeys } from './seal-key.ts';

/*
 * What makes a retry safe (P5). The reply of a write that came with an Idempotency-Key is kept, since a replay
 * has to hand out the same secret. It is sealed under a key that takes two things to derive: the master key,
 * which is not in the database, and the Idempotency-Key itself, which is nowhere but with the caller. So neither
 * a copy of the database nor a copy of the server's environment opens a kept secret, nor do both together.
 *
 * An Idempotency-Key belongs to the management key that sent it: used again for any other request, whatever its
 * path, it is a mismatch.
 */

export interface IdempotentRequest {
  readonly workspaceId: WorkspaceId;
  /** The management key that asks. */
  readonly callerId: KeyId;
  readonly idempotencyKey: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

const nonceBytes = 12;
const tagBytes = 16;
/** 2: with the place in the feed. What was kept by version 1 is refused as unreadable, for the day that it is kept. */
const sealVersion = 2;

export class IdempotencyScope {
  readonly #request: IdempotentRequest;
  readonly #keys: MasterKeys;
  readonly #random: Random;
  readonly #requestHash: Uint8Array;

  constructor(request: IdempotentRequest, masterKey: MasterKey | MasterKeys, random: Random) {
    this.#request = request;
    this.#keys = 'current' in masterKey ? masterKey : { current: masterKey };
    this.#random = random;
    this.#requestHash = sha256(canonicalJson([request.method, request.path, request.body]));
  }

  /** `part` is for a request that takes more than one write: each of them is kept by itself. */
  ticket<Reply>(part = ''): IdempotencyTicket<Reply> {
    const { workspaceId, callerId, idempotencyKey } = this.#request;
    const keyHash = sha256(canonicalJson([workspaceId, callerId, idempotencyKey, part]));
    return {
      keyHash,
      requestHash: this.#requestHash,
      seal: (kept) => this.#seal(keyHash, encodeReply(kept)),
      open: (sealed) => decodeReply(this.#open(keyHash, sealed)) as Kept<Reply>,
    };
  }

  #seal(keyHash: Uint8Array, plain: Uint8Array): Uint8Array {
    const nonce = this.#random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#sealKey(this.#keys.current, keyHash), nonce);
    cipher.setAAD(this.#requestHash);
    return Buffer.concat([
      Buffer.of(sealVersion),
      nonce,
      cipher.update(plain),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
  }

  /** Also what was kept before the master key was replaced, as long as that one is at hand. */
  #open(keyHash: Uint8Array, sealed: Uint8Array): Uint8Array {
    const { current, previous } = this.#keys;
    try {
      return this.#openWith(current, keyHash, sealed);
    } catch (error) {
      if (previous === undefined) throw error;
      return this.#openWith(previous, keyHash, sealed);
    }
  }

  #openWith(masterKey: MasterKey, keyHash: Uint8Array, sealed: Uint8Array): Uint8Array {
    if (sealed[0] !== sealVersion || sealed.length < 1 + nonceBytes + tagBytes) throw unreadable();
    const nonce = sealed.subarray(1, 1 + nonceBytes);
    const decipher = createDecipheriv('aes-256-gcm', this.#sealKey(masterKey, keyHash), nonce, {
      authTagLength: tagBytes,
    });
    decipher.setAAD(this.#requestHash);
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(1 + nonceBytes, -tagBytes)), decipher.final()]);
    } catch {
      throw unreadable();
    }
  }

  #sealKey(masterKey: MasterKey, keyHash: Uint8Array): Uint8Array {
    const { idempotencyKey } = this.#request;
    return masterKey.subkey('idempotency reply', [Buffer.from(keyHash).toString('base64'), idempotencyKey]);
  }
}

/** Better no answer than a second effect: the write has happened, and its reply is gone with the old key. */
function unreadable(): Fault {
  return new Fault('idempotency_mismatch', {
    detail: 'The reply to this request is kept, but it was sealed under another master key.',
    field: 'Idempotency-Key',
  });
}

function sha256(text: string): Uint8Array {
  return hash('sha256', text, 'buffer');
}

import { algorithms, type SigningKeyRecord } from '@keyswarm/core';
import type { SigningKeyReply } from '../schemas/signing-keys.ts';
import { nullableTimeText, timeText } from './time.ts';

/** From the record of a signing key to the wire: nothing of its private key, sealed or not. */
export function signingKeyView(key: SigningKeyRecord): SigningKeyReply {
  return {
    id: key.id,
    algorithm: algorithms[key.algorithm].jose as 'EdDSA' | 'ES256',
    issuer: key.issuer,
    state: key.state,
    not_before: nullableTimeText(key.notBeforeMs),
    published_at: timeText(key.publishedAtMs),
    activated_at: nullableTimeText(key.activatedAtMs),
    retired_at: nullableTimeText(key.retiredAtMs),
    removed_at: nullableTimeText(key.removedAtMs),
  };
}

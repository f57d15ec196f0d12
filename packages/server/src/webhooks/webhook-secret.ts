import { Secret } from '@keyswarm/core';
import type { Random } from '../runtime/random.ts';

/** 24 to 64 bytes are what Standard Webhooks asks for; HMAC-SHA256 gains nothing past 32. */
const secretBytes = 32;

export function mintWebhookSecret(random: Random): Secret {
  return new Secret(`whsec_${Buffer.from(random.bytes(secretBytes)).toString('base64')}`);
}

import { createHmac } from 'node:crypto';
import type { Secret } from '@keyswarm/core';

/*
 * Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body` with each secret that is
 * valid now, all signatures in one header with a blank between. A consumer that knows one of them is served, so a
 * secret can be changed on both sides at different times.
 */

export const webhookSecretPrefix = 'whsec_';

export interface Message {
  /** The same at every delivery: by it the consumer knows one that came before. */
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string;
}

export function signedHeaders(
  { id, timestampSeconds, body }: Message,
  secrets: readonly Secret[],
): Readonly<Record<string, string>> {
  const signed = `${id}.${timestampSeconds}.${body}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': secrets.map((secret) => `v1,${signatureOf(secret, signed)}`).join(' '),
  };
}

function signatureOf(secret: Secret, signed: string): string {
  const key = Buffer.from(secret.reveal().slice(webhookSecretPrefix.length), 'base64');
  return createHmac('sha256', key).update(signed).digest('base64');
}

import type { DeadLetterId } from '@keyswarm/core';
import type { DeadLetters } from '../storage/dead-letter-port.ts';
import type { Reader } from '../storage/reader-port.ts';
import { webhookOf } from '../webhooks/webhook.ts';
import type { CourierOptions } from './courier.ts';
import { secretsAt, targetOf } from './delivery-target.ts';
import { signedHeaders } from './sign-message.ts';

export interface ReplayServices extends Pick<CourierOptions, 'sender' | 'sealer' | 'clock' | 'observer'> {
  readonly deadLetters: DeadLetters;
  readonly reader: Pick<Reader, 'document'>;
}

/**
 * Sends the event of a dead letter again, as it was sent then, and removes the letter when it was taken. Throws where
 * it was not: the job that it runs in tries again.
 */
export async function sendLetterAgain(services: ReplayServices, id: DeadLetterId): Promise<void> {
  const { deadLetters, reader, sealer, sender, clock, observer } = services;
  const letter = await deadLetters.find(id);
  if (letter?.kind !== 'event') return;
  const document = await reader.document(letter.source as Parameters<Reader['document']>[0]);
  const target = document && targetOf(webhookOf(document), sealer);
  if (target === undefined) throw new Error('the webhook of this event is not active');
  const body = JSON.stringify(letter.body);
  const nowMs = clock.nowMs();
  const message = { id: String(letter.body.id), timestampSeconds: Math.floor(nowMs / 1000), body };
  const headers = {
    'content-type': 'application/cloudevents+json; charset=utf-8',
    'user-agent': 'keyswarm',
    ...signedHeaders(message, secretsAt(target, nowMs)),
  };
  const outcome = await sender.post(target.url, headers, body);
  observer.posted(outcome, Math.max(0, nowMs - letter.diedAtMs));
  if (outcome.kind === 'failed') throw new Error(`the webhook did not take the event: ${outcome.reason}`);
  await deadLetters.remove(id);
}

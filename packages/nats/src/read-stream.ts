import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { apiMsMax, catchUpMessagesMax, catchUpMsMax } from './limits.ts';

export interface StreamAsked {
  readonly stream: string;
  readonly afterSeq: number;
  /** Of JetStream, where it isn't the one of the server that is connected to: behind a leaf. */
  readonly domain?: string | undefined;
}

export function jetstreamOptions(domain: string | undefined) {
  return { timeout: apiMsMax, checkAPI: false, ...(domain === undefined ? {} : { domain }) };
}

/**
 * What the stream has kept after `afterSeq`, the newest of it when there is much. Returns the stream's last
 * sequence. Bounded in messages and in time, for its reader can be deaf: then rows are read from elsewhere.
 */
export async function readStream(
  connection: NatsConnection,
  { stream, afterSeq, domain }: StreamAsked,
  take: (payload: Uint8Array) => void,
): Promise<number> {
  const options = jetstreamOptions(domain);
  const manager = await jetstreamManager(connection, options);
  const { state } = await manager.streams.info(stream);
  const from = Math.max(afterSeq + 1, state.first_seq, state.last_seq - catchUpMessagesMax + 1);
  if (from > state.last_seq) return state.last_seq;
  const consumers = jetstream(connection, options).consumers;
  const consumer = await consumers.get(stream, {
    deliver_policy: 'by_start_sequence',
    opt_start_seq: from,
    inactive_threshold: catchUpMsMax,
  });
  const messages = await consumer.fetch({
    max_messages: state.last_seq - from + 1,
    expires: catchUpMsMax,
  });
  for await (const { data, seq } of messages) {
    take(data);
    if (seq >= state.last_seq) break;
  }
  await consumer.delete().catch(() => false);
  return state.last_seq;
}

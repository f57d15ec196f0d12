import type { FeedRow } from '@keyswarm/core';
import { defaultWorkspaceId } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { ServerConfig } from '../config/config-schema.ts';
import { listOf } from '../config/list-of.ts';
import { replayEvent } from '../dead-letters/dead-letters.ts';
import { Courier } from '../deliveries/courier.ts';
import type { PumpServices } from '../deliveries/pump.ts';
import { sendLetterAgain } from '../deliveries/replay-event.ts';
import type { TargetPolicy } from '../egress/check-url.ts';
import { createSender } from '../egress/message-sender.ts';
import type { Log } from '../logging/log.ts';
import { deliveryMetrics, watchBacklog, watchJobs } from '../metrics/delivery-metrics.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { MasterKey } from '../signing/master-key.ts';
import type { MasterKeys } from '../signing/seal-key.ts';
import { SecretSealer } from '../signing/sealed-secret.ts';
import { createDeadLetters } from '../storage/dead-letter-store.ts';
import { createDeliveryHealthReader } from '../storage/statements/read-delivery-health.ts';
import type { Store } from '../storage/store.ts';
import { disableWebhook } from '../webhooks/change-webhook.ts';
import type { Workflows } from '../workflows/workflows.ts';
import type { Closing } from './close-in-order.ts';

/** What is there before it. */
export interface DeliveryHouse {
  readonly ports: UseCasePorts;
  readonly metrics: ServerMetrics;
  readonly workflows: Workflows;
  readonly onCommitted: (listener: (rows: readonly FeedRow[]) => void) => void;
}

export interface DeliveryFoundation {
  readonly store: Store;
  readonly log: Log;
  readonly closing: Closing;
  readonly masterKey: MasterKey | MasterKeys;
}

/** Events out: whoever does jobs serves webhooks. Ends before the lanes, which it may write through. */
export function openDeliveries(
  config: ServerConfig,
  { ports, metrics, workflows, onCommitted }: DeliveryHouse,
  { store, log, closing, masterKey }: DeliveryFoundation,
) {
  const { clock, shards, reader } = ports;
  const sealer = new SecretSealer(masterKey, systemRandom, 'webhook secret');
  const targets: TargetPolicy = {
    allowed: listOf(config.webhookAllow) ?? [],
    allowHttp: config.webhookHttp,
  };
  const deadLetters = createDeadLetters(store, { shards });
  const deliveryHealth = createDeliveryHealthReader(store);
  const observer = deliveryMetrics(metrics.registry);
  const sender = createSender({ policy: targets, timers: systemTimers });
  const disable: PumpServices['disable'] = (target, reason) => disableWebhook(ports, target, reason);
  const common = { sender, sealer, clock, observer };
  const courier = new Courier({
    ...common,
    store,
    shards,
    timers: systemTimers,
    random: systemRandom,
    log,
    disable,
  });
  watchBacklog(metrics.registry, () => courier.backlog);
  watchJobs(metrics.registry, () => workflows.waiting());
  onCommitted((rows) => courier.committed(rows));
  workflows.queue(replayEvent, ({ deadLetterId }) =>
    sendLetterAgain({ ...common, deadLetters, reader }, deadLetterId),
  );
  workflows.onDeath((letter) => {
    observer.died('job');
    return deadLetters.add({ ...letter, workspaceId: letter.workspaceId ?? defaultWorkspaceId });
  });
  closing.add('deliveries', () => courier.stop());
  return { courier, deliveries: { sealer, targets, deadLetters, deliveryHealth, replays: workflows } };
}

import { type EventType, idFromUuidBytes, type Secret, shardOfId, uuidV7 } from '@keyswarm/core';
import type { PostOutcome } from '../../egress/message-sender.ts';
import { createSender } from '../../egress/message-sender.ts';
import { createLanes, type RunningLanes } from '../../lanes/lanes.ts';
import { Sample } from '../../lanes/testing/sample.ts';
import { createLog } from '../../logging/log.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import { systemTimers } from '../../runtime/timers.ts';
import { MasterKey } from '../../signing/master-key.ts';
import { SecretSealer } from '../../signing/sealed-secret.ts';
import type { DeadLetters } from '../../storage/dead-letter-port.ts';
import { createDeadLetters } from '../../storage/dead-letter-store.ts';
import { createReader } from '../../storage/reader.ts';
import type { Store } from '../../storage/store.ts';
import { disableWebhook } from '../../webhooks/change-webhook.ts';
import { documentOf, type Webhook, webhookOf } from '../../webhooks/webhook.ts';
import { mintWebhookSecret } from '../../webhooks/webhook-secret.ts';
import { Courier, type CourierOptions } from '../courier.ts';

const masterKey = new MasterKey(new Uint8Array(32).fill(7));

/** A workspace of its own in a store, with lanes that write to it and couriers that serve its webhooks. */
export class DeliveryHouse {
  readonly store: Store;
  readonly shards: number;
  readonly sample: Sample;
  readonly lanes: RunningLanes;
  readonly deadLetters: DeadLetters;
  readonly outcomes: PostOutcome[] = [];
  readonly #sealer = new SecretSealer(masterKey, systemRandom, 'webhook secret');
  readonly #couriers: Courier[] = [];

  constructor(store: Store, shards: number) {
    this.store = store;
    this.shards = shards;
    this.sample = new Sample(shards);
    this.deadLetters = createDeadLetters(store, { shards });
    this.lanes = createLanes({
      store,
      shards,
      clock: systemClock,
      timers: systemTimers,
      onCommitted: (rows) => {
        for (const courier of this.#couriers) courier.committed(rows);
      },
    });
  }

  /** One process that serves; its connection to the store may be another one. */
  courier(more: Partial<CourierOptions> = {}): Courier {
    const courier = new Courier({
      store: this.store,
      shards: this.shards,
      sender: createSender({
        policy: { allowed: ['127.0.0.1'], allowHttp: true },
        timers: systemTimers,
        timeoutMs: 2_000,
      }),
      sealer: this.#sealer,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      log: createLog('silent'),
      observer: { posted: (outcome) => void this.outcomes.push(outcome), died: () => {} },
      disable: (target, reason) => disableWebhook(this, target, reason),
      retryMsMin: 20,
      pollMs: 30,
      ...more,
    });
    this.#couriers.push(courier);
    courier.start();
    return courier;
  }

  /** Another house's courier serves this one's webhooks as well. */
  hears(courier: Courier): void {
    this.#couriers.push(courier);
  }

  async webhook(
    url: string,
    types: readonly EventType[] | null = null,
  ): Promise<{ id: Webhook['id']; secret: Secret }> {
    const id = idFromUuidBytes('wh', uuidV7(systemClock.nowMs(), systemRandom.bytes(10)));
    const secret = mintWebhookSecret(systemRandom);
    const nowMs = systemClock.nowMs();
    const webhook: Webhook = {
      id,
      workspaceId: this.sample.workspaceId,
      state: 'active',
      disabledReason: null,
      url,
      description: '',
      types,
      keyspaceId: null,
      sealedSecret: this.#sealer.seal(id, secret),
      previous: null,
      from: await createReader(this.store, { shards: this.shards }).heads(),
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      revision: 1,
    };
    await this.lanes.submit<null>({
      shard: shardOfId(id, this.shards),
      weight: 1,
      actor: this.sample.actor,
      reads: { documents: [id] },
      decide: () => ({
        changes: [{ kind: 'document', event: 'webhook.created', after: documentOf(webhook), data: {} }],
        reply: null,
      }),
    });
    return { id, secret };
  }

  async stateOf(id: Webhook['id']): Promise<Pick<Webhook, 'state' | 'disabledReason'>> {
    const document = await createReader(this.store, { shards: this.shards }).document(id);
    if (document === undefined) throw new Error('there is no such webhook');
    return webhookOf(document);
  }

  letters() {
    return this.deadLetters.list(this.sample.workspaceId, { limit: 100 });
  }

  async close(): Promise<void> {
    await Promise.all(this.#couriers.map((courier) => courier.stop()));
    await this.lanes.drain();
  }
}

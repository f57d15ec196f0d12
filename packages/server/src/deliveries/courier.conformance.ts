import type { ServerResponse } from 'node:http';
import { Webhook as OfficialWebhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSender } from '../egress/message-sender.ts';
import { StoreBetween } from '../lanes/testing/test-store.ts';
import { pumpsMax } from '../limits.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createDeliveryHealthReader } from '../storage/statements/read-delivery-health.ts';
import type { Store } from '../storage/store.ts';
import { disableWebhook } from '../webhooks/change-webhook.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import { Consumer } from './testing/consumer.ts';
import { DeliveryHouse } from './testing/delivery-house.ts';

const dropFeed = { name: '', text: 'delete from feed where shard = $1::smallint and seq <= $2::bigint' };

/** What deliveries have to do on every engine. */
export function describeCourier(storeOf: () => Store, shards: number): void {
  let house: DeliveryHouse;
  let consumer: Consumer;
  beforeEach(async () => {
    house = new DeliveryHouse(storeOf(), shards);
    consumer = await Consumer.start();
    await house.lanes.submit(house.sample.createKeyspace());
  });
  afterEach(async () => {
    await house.close();
    await consumer.stop();
  });

  /** So many keys, each issued, suspended and resumed; 3 events a key. */
  const burst = async (keys: number): Promise<readonly string[]> => {
    const ids = await Promise.all(
      Array.from({ length: keys }, async () => {
        const { id } = (await house.lanes.submit(house.sample.issue())).reply;
        return id;
      }),
    );
    await Promise.all(ids.map((id) => house.lanes.submit(house.sample.suspend(id))));
    await Promise.all(ids.map((id) => house.lanes.submit(house.sample.resume(id))));
    return ids;
  };

  describe('deliveries', () => {
    test('an event is sent as a CloudEvent that the official library verifies, and to no one else', async () => {
      const { secret } = await house.webhook(consumer.url, ['key.issued']);
      house.courier();
      const { id } = (await house.lanes.submit(house.sample.issue())).reply;
      const [event] = await consumer.until(1);
      expect(event).toMatchObject({ type: 'dev.keyswarm.key.issued', subject: id });
      expect(event?.headers['content-type']).toContain('application/cloudevents+json');
      expect(event?.headers['webhook-id']).toBe(event?.id);
      const verify = (with_: string) =>
        new OfficialWebhook(with_).verify(event?.body ?? '', event?.headers ?? {});
      expect(verify(secret.reveal())).toMatchObject({ specversion: '1.0', id: event?.id });
      expect(() => verify(`whsec_${Buffer.alloc(32, 1).toString('base64')}`)).toThrow();
      expect(() =>
        new OfficialWebhook(secret.reveal()).verify(`${event?.body} `, event?.headers ?? {}),
      ).toThrow();
    });

    test('a consumer that was down for a whole burst is told of as failing, and then gets all of it, in order for each key', async () => {
      const { id: webhook } = await house.webhook(consumer.url, [
        'key.issued',
        'key.suspended',
        'key.resumed',
      ]);
      const health = async () => (await createDeliveryHealthReader(house.store).of([webhook])).get(webhook);
      let isDown = true;
      consumer.answer = (_, response) => void response.writeHead(isDown ? 503 : 200).end();
      house.courier();
      const ids = await burst(40);
      await untilSome(async () => house.outcomes.filter(({ kind }) => kind === 'failed'));
      await untilSome(async () => (((await health())?.failingSinceMs ?? null) === null ? [] : [1]));
      const failing = await health();
      expect(failing).toMatchObject({ lastError: 'server_error: status 503' });
      expect(failing?.attempts).toBeGreaterThan(0);
      expect(failing?.waitingAtMost).toBeGreaterThan(0);
      isDown = false;
      await consumer.untilDistinct(120);
      await house.close();
      expect(await health()).toEqual({
        failingSinceMs: null,
        attempts: 0,
        lastError: null,
        retryAtMs: null,
        waitingAtMost: 0,
      });
      for (const id of ids) {
        const seqs = consumer.seqsOf(id);
        expect(seqs).toHaveLength(3);
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      }
      expect(await house.letters()).toEqual([]);
    });

    test('an event that can not be read is not passed over: it is delivered once it can be', async () => {
      await house.webhook(consumer.url, ['key.issued']);
      const { id } = (await house.lanes.submit(house.sample.issue())).reply;
      const format = (to: string) => ({
        name: '',
        text: `update feed set body = jsonb_set(body::jsonb, '{v}', '${to}')::json where body->>'subject' = $1`,
      });
      await storeOf().query(format('99'), [id]);
      house.courier();
      // One of another shard, so that it is known that the courier is at work.
      const others = await Promise.all(
        Array.from({ length: 8 }, () => house.lanes.submit(house.sample.issue())),
      );
      await consumer.until(1);
      expect(consumer.seqsOf(id)).toEqual([]);
      await storeOf().query(format('1'), [id]);
      await consumer.untilDistinct(others.length + 1);
      expect(consumer.seqsOf(id)).toHaveLength(1);
    });

    test('one workspace whose consumers take their time leaves room for the events of another', async () => {
      const held: ServerResponse[] = [];
      consumer.answer = (_, response) => void held.push(response);
      const slow: Pick<Webhook, 'id'>[] = [];
      while (slow.length < pumpsMax / shards + 4) slow.push(await house.webhook(consumer.url));
      await burst(8 * shards);
      const sender = createSender({
        policy: { allowed: ['127.0.0.1'], allowHttp: true },
        timers: systemTimers,
        timeoutMs: 120_000,
      });
      const courier = house.courier({ sender });
      await consumer.until(1);
      const other = new DeliveryHouse(storeOf(), shards);
      const quick = await Consumer.start();
      other.hears(courier);
      const { id } = await other.webhook(quick.url, ['keyspace.created']);
      await other.lanes.submit(other.sample.createKeyspace());
      await quick.until(1);
      expect(quick.received).toHaveLength(1);
      // The store is shared: nobody after this test has to serve them.
      const { workspaceId } = house.sample;
      for (const one of slow) await disableWebhook(house, { ...one, workspaceId }, 'gone');
      await disableWebhook(other, { id, workspaceId: other.sample.workspaceId }, 'gone');
      await consumer.stop();
      await house.close();
      await other.close();
      await quick.stop();
    });

    test('several processes share the work, and no event is sent twice while all of them live', async () => {
      await house.webhook(consumer.url, ['key.issued', 'key.suspended', 'key.resumed']);
      for (let process = 0; process < 3; process += 1) house.courier();
      await burst(40);
      await consumer.until(120);
      await house.close();
      expect(consumer.received).toHaveLength(120);
      expect(new Set(consumer.received.map(({ id }) => id)).size).toBe(120);
    });

    test('what a process was at when it vanished is delivered by another: again, and never skipped', async () => {
      await house.webhook(consumer.url, ['key.issued']);
      const between = new DyingStore(storeOf());
      const dying = house.courier({ store: between });
      consumer.answer = (_, response) => {
        between.isDead = true;
        response.end();
      };
      const { id } = (await house.lanes.submit(house.sample.issue())).reply;
      await consumer.until(1);
      await dying.stop();
      consumer.answer = (_, response) => void response.end();
      // As if its claim had run out.
      await storeOf().query({ name: '', text: 'update webhook_cursors set claimed_until = null' });
      house.courier();
      await consumer.until(2);
      expect(consumer.received.map(({ subject }) => subject)).toEqual([id, id]);
      expect(new Set(consumer.received.map((event) => event.id)).size).toBe(1);
    });

    test('an event that is refused at every attempt is a dead letter, and the rest goes on', async () => {
      await house.webhook(consumer.url, ['key.issued', 'key.suspended']);
      const { id } = (await house.lanes.submit(house.sample.issue())).reply;
      consumer.answer = ({ type }, response) =>
        void response.writeHead(type === 'dev.keyswarm.key.suspended' ? 422 : 200).end();
      house.courier({ attemptsMax: 3 });
      await consumer.until(1);
      await house.lanes.submit(house.sample.suspend(id));
      const shard = id;
      const next = (await house.lanes.submit(house.sample.issue())).reply;
      await consumer.until(2);
      await untilSome(() => house.letters());
      expect(await house.letters()).toMatchObject([
        { kind: 'event', reason: 'client_error: status 422', attempts: 3, body: { subject: shard } },
      ]);
      // What was sent beside the one that failed may have come twice.
      expect([...new Set(consumer.received.map(({ subject }) => subject))]).toEqual([id, next.id]);
    });

    test('once a consumer takes events again, no shard waits for its own next try', async () => {
      await house.webhook(consumer.url, ['key.issued']);
      let isDown = true;
      consumer.answer = (_, response) => void response.writeHead(isDown ? 503 : 200).end();
      // Far off, so that only the first of them to be tried again can hasten the others.
      house.courier({ retryMsMin: 600_000 });
      const shardsOf = Array.from({ length: shards }, (_, shard) => shard);
      await Promise.all(shardsOf.map((shard) => house.lanes.submit(house.sample.issue({ shard }))));
      // Written down, all of them: a first try that is noted after the update below would put its own far time there again.
      const waiting = 'select shard from webhook_cursors where retry_at is not null';
      await untilSome(async () => {
        const rows = await storeOf().query({ name: '', text: waiting });
        return rows.length >= shards ? [true] : [];
      });
      isDown = false;
      await storeOf().query({ name: '', text: 'update webhook_cursors set retry_at = null where shard = 0' });
      await consumer.untilDistinct(shards);
    });

    test('a stretch that the feed no longer has is told of, with its numbers', async () => {
      await house.webhook(consumer.url, ['key.issued']);
      const lost = (await house.lanes.submit(house.sample.issue({ shard: 1 }))).at;
      const kept = (await house.lanes.submit(house.sample.issue({ shard: 1 }))).reply;
      await storeOf().query(dropFeed, [lost?.shard, lost?.seq]);
      house.courier();
      await consumer.until(1);
      await house.close();
      expect(consumer.received.map(({ subject }) => subject)).toEqual([kept.id]);
      expect(await house.letters()).toMatchObject([
        { kind: 'range', body: { shard: lost?.shard, to_seq: lost?.seq } },
      ]);
    });

    test('a consumer that says 410 is not asked again', async () => {
      const { id } = await house.webhook(consumer.url, ['key.issued']);
      consumer.answer = (_, response) => void response.writeHead(410).end();
      house.courier();
      await house.lanes.submit(house.sample.issue());
      await untilSome(async () => ((await house.stateOf(id)).state === 'disabled' ? [true] : []));
      expect(await house.stateOf(id)).toMatchObject({ state: 'disabled', disabledReason: 'gone' });
    });

    test('one that has failed for too long is disabled, and what it missed is kept', async () => {
      const { id } = await house.webhook(consumer.url, ['key.issued']);
      consumer.answer = (_, response) => void response.writeHead(500).end();
      house.courier({ failingMsMax: 50 });
      await house.lanes.submit(house.sample.issue());
      await untilSome(async () => ((await house.stateOf(id)).state === 'disabled' ? [true] : []));
      expect(await house.stateOf(id)).toMatchObject({ state: 'disabled', disabledReason: 'failing' });
      expect(await house.letters()).toEqual([]);
    });
  });
}

/** Asks again until something is there. */
async function untilSome<Item>(ask: () => Promise<readonly Item[]>): Promise<void> {
  while ((await ask()).length === 0) await new Promise((resolve) => setImmediate(resolve));
}

class DyingStore extends StoreBetween {
  isDead = false;

  override query: Store['query'] = (statement, params) =>
    this.isDead ? Promise.reject(new Error('dead')) : this.inner.query(statement, params);

  override transaction: Store['transaction'] = (work, options) =>
    this.isDead ? Promise.reject(new Error('dead')) : this.inner.transaction(work, options);
}

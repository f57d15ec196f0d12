import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Consumer } from '../deliveries/testing/consumer.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { Resolve } from './guarded-lookup.ts';
import { createSender, type MessageSender, type SenderOptions } from './message-sender.ts';

const body = JSON.stringify({ id: '1-0-1', type: 'x', subject: 'key_1' });
const local = { allowed: ['127.0.0.1'], allowHttp: true };

let consumer: Consumer;
const senders: MessageSender[] = [];
beforeEach(async () => {
  consumer = await Consumer.start();
});
afterEach(async () => {
  for (const sender of senders.splice(0)) sender.close();
  await consumer.stop();
});

function sender(options: Partial<SenderOptions> = {}): MessageSender {
  const made = createSender({ policy: local, timers: systemTimers, timeoutMs: 500, ...options });
  senders.push(made);
  return made;
}

/** A name that stands for these addresses. */
const standsFor =
  (...addresses: readonly string[]): Resolve =>
  (_, settle) =>
    settle(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

const named = (): URL => new URL(consumer.url.replace('127.0.0.1', 'hooks.example.com'));

describe('a connection goes to an address that was checked', () => {
  test('a name is called at the address that was looked up for it', async () => {
    const outcome = await sender({ resolve: standsFor('127.0.0.1') }).post(named(), {}, body);
    expect([outcome.kind, consumer.received.length]).toEqual(['delivered', 1]);
  });

  test.each([
    ['loopback', ['127.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['IPv6 loopback', ['::1']],
    ['a v4-mapped address', ['::ffff:127.0.0.1']],
    ['a public address and a private one', ['93.184.216.34', '10.0.0.1']],
    ['nothing', []],
  ])('a name that stands for %s is not called', async (_, addresses) => {
    const policy = { allowed: [], allowHttp: true };
    const outcome = await sender({ policy, resolve: standsFor(...addresses) }).post(named(), {}, body);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'address' });
    expect(consumer.received).toEqual([]);
  });

  test('a name that stood for a public address when it was registered is looked at again', async () => {
    let lookups = 0;
    const rebinding: Resolve = (_, settle) => {
      lookups += 1;
      settle(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const policy = { allowed: [], allowHttp: true };
    const outcome = await sender({ policy, resolve: rebinding }).post(named(), {}, body);
    expect([outcome.kind, lookups, consumer.received]).toEqual(['failed', 1, []]);
  });

  test('an address that stands in the URL itself is checked too', async () => {
    const policy = { allowed: [], allowHttp: true };
    const outcome = await sender({ policy }).post(new URL(consumer.url), {}, body);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'address' });
  });

  test('http is refused where it is not allowed, also if it was when the webhook was made', async () => {
    const policy = { allowed: ['127.0.0.1'], allowHttp: false };
    const outcome = await sender({ policy }).post(new URL(consumer.url), {}, body);
    expect([outcome.kind, consumer.received]).toEqual(['failed', []]);
  });
});

describe('an answer is taken for what it is and no more', () => {
  test('a redirect is a refusal and is not followed', async () => {
    const elsewhere = await Consumer.start();
    consumer.answer = (_, response) => void response.writeHead(307, { location: elsewhere.url }).end();
    const outcome = await sender().post(new URL(consumer.url), {}, body);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'redirect', status: 307 });
    expect(elsewhere.received).toEqual([]);
    await elsewhere.stop();
  });

  test.each([
    [410, 'gone'],
    [422, 'client_error'],
    [500, 'server_error'],
  ])('%i is %s', async (status, reason) => {
    consumer.answer = (_, response) => void response.writeHead(status).end();
    const outcome = await sender().post(new URL(consumer.url), {}, body);
    expect(outcome).toMatchObject({ kind: 'failed', reason, status });
  });

  test('a Retry-After is told, up to an hour', async () => {
    const waits: unknown[] = [];
    for (const text of ['7', '999999', 'tomorrow']) {
      consumer.answer = (_, response) => void response.writeHead(503, { 'retry-after': text }).end();
      const outcome = await sender().post(new URL(consumer.url), {}, body);
      waits.push(outcome.kind === 'failed' ? outcome.retryAfterMs : undefined);
    }
    expect(waits).toEqual([7_000, 3_600_000, null]);
  });

  test('an answer that does not come in its time is a timeout', async () => {
    consumer.answer = () => {};
    const outcome = await sender({ timeoutMs: 50 }).post(new URL(consumer.url), {}, body);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'timeout' });
  });

  test('a body without an end is cut off, and the answer counts by its head', async () => {
    const closed = Promise.withResolvers<void>();
    let sent = 0;
    consumer.answer = (_, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        if (response.destroyed) return;
        sent += chunk.length;
        if (response.write(chunk)) setImmediate(more);
        else response.once('drain', more);
      };
      response.on('close', closed.resolve);
      more();
    };
    const outcome = await sender().post(new URL(consumer.url), {}, body);
    await closed.promise;
    expect(outcome.kind).toBe('delivered');
    // What sockets hold on the way, and no more.
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  test('nobody there is a failed connection', async () => {
    const url = new URL(consumer.url);
    await consumer.stop();
    expect(await sender().post(url, {}, body)).toMatchObject({ kind: 'failed', reason: 'connect' });
    consumer = await Consumer.start();
  });
});

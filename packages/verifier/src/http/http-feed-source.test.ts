import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { encodeFeedRow } from '@keyswarm/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FeedHttpServer, problem } from '../conformance/testing/feed-http-server.ts';
import { leaseMs, MemoryAuthority } from '../conformance/testing/memory-authority.ts';
import { hurried, SteppedClock } from '../conformance/testing/stepped-clock.ts';
import { createVerifier } from '../create-verifier.ts';
import type { Verifier } from '../library/verifier-api.ts';
import { leaseReplyBytesMax } from '../limits.ts';
import { systemRandom } from '../runtime/random.ts';
import { encodeFrame, frameTypes, stretchFrame } from '../wire/frames.ts';
import { createHttpFeedSource, type HttpFeedSource } from './http-feed-source.ts';
import { RelayBusy, RelayFailed, RelayRefused, RelayUnreachable } from './relay-errors.ts';

const credential = 'ks_feed_reader_of_the_tests';
const timers = hurried(0.1);
const ask = { applied: undefined, leaseAgeMs: undefined, fresh: true };
const forever = new AbortController().signal;
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('the feed from one relay over HTTP', () => {
  let authority: MemoryAuthority;
  let server: FeedHttpServer;
  let source: HttpFeedSource;
  const opened: { close(): unknown }[] = [];

  beforeEach(async () => {
    authority = new MemoryAuthority(new SteppedClock(), timers);
    await authority.ready;
    server = new FeedHttpServer({
      source: authority.relay.sourceFor({}),
      timers,
      wallMs: () => authority.clock.wallMs(),
      heads: () => authority.resident.applied(),
      credential,
    });
    await server.listen();
    source = sourceAt(server.url);
  });

  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.close();
    await server.close();
    await authority.stop();
  });

  function sourceAt(url: string, secret = credential): HttpFeedSource {
    const identity = { id: 'test', name: 'test', kind: 'library' } as const;
    const made = createHttpFeedSource({ url, credential: secret, identity, timers, random: systemRandom });
    opened.push(made);
    return made;
  }

  function follow(): Verifier {
    const ports = { machine: authority.clock, timers };
    const verifier = createVerifier({ relays: server.url, credential, lease: { askMs: 100 }, ports });
    opened.push(verifier);
    return verifier;
  }

  /** What the server says to one path, instead of what it should. */
  function answer(path: string, say: (response: ServerResponse) => void): void {
    server.instead = (request, response) => {
      if (!request.url?.startsWith(`/v1/feed/${path}`)) return false;
      say(response);
      return true;
    };
  }

  const soon = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 5 });

  /** Subscribes, and resolves with why it ended. */
  function endOfStream(from = authority.resident.applied()): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    source.subscribe(from, { stretch() {}, wanted() {}, ended: resolve });
    return promise;
  }

  it('takes no snapshot that was cut off midway, and the whole one that comes after it', async () => {
    const keys = Array.from({ length: 2_000 }, () => authority.issue(0));
    let cut = 0;
    const whole = await bodyOf(`${server.url}/v1/feed/snapshot`);
    answer('snapshot', (response) => {
      cut += 1;
      response.writeHead(200);
      response.write(whole.subarray(0, whole.length - 40), () => response.destroy());
    });
    const verifier = follow();
    await soon(() => expect(cut).toBeGreaterThan(1));
    expect([verifier.state, verifier.verify(keys[0]?.text ?? '').code]).toEqual(['loading', 'stale']);
    server.instead = () => false;
    await verifier.ready;
    expect(verifier.stats().versions).toBe(2_000);
  });

  it('takes nothing out of a frame with a bit turned over, wherever it comes', async () => {
    const key = authority.issue(0);
    const whole = await bodyOf(`${server.url}/v1/feed/snapshot`);
    const spoilt = Buffer.from(whole);
    const middle = Math.floor(spoilt.length / 2);
    spoilt[middle] = (spoilt[middle] ?? 0) ^ 1;
    answer('snapshot', (response) => response.writeHead(200).end(spoilt));
    const sink = { key() {}, owner() {}, keyspace() {}, signingKey() {}, stretch() {} };
    await expect(source.snapshot(sink, forever)).rejects.toMatchObject({ name: 'BadFrame' });

    const range = { after: 0, upTo: 1, limit: 10 };
    const stretch = await authority.feed.rows(key.shard, range);
    if (stretch === 'gone') throw new Error('there is such a row');
    const frame = Buffer.from(stretchFrame(stretch));
    frame[20] = (frame[20] ?? 0) ^ 1;
    answer('rows', (response) => response.writeHead(200).end(frame));
    await expect(source.rows(key.shard, range, forever)).rejects.toMatchObject({ name: 'BadFrame' });
    answer('stream', (response) => response.writeHead(200).write(frame));
    expect(await endOfStream()).toMatchObject({ name: 'BadFrame' });
  });

  it('believes no age that can not be one, and renews nothing by it', async () => {
    const key = authority.issue(0);
    const verifier = follow();
    await verifier.ready;
    for (const age of [-1, null, '0', 1e300, 86_400_001, [0]]) {
      server.tamper = () => ({ age_ms: age });
      await expect(source.lease(ask, forever)).rejects.toMatchObject({ name: 'BadAnswer' });
    }
    authority.clock.advance(leaseMs + 1);
    const { leaseAnswers } = verifier.stats();
    await soon(() => expect(String(verifier.reason)).toContain('age_ms'));
    expect([verifier.verify(key.text).code, verifier.stats().leaseAnswers]).toEqual(['stale', leaseAnswers]);
    server.tamper = (told) => told;
    await soon(() => expect(verifier.verify(key.text).code).toBe('valid'));
  });

  it('believes no heads and no shards that can not be such', async () => {
    const bad: object[] = [
      { seqs: [] },
      { seqs: [1, -1, 0, 0] },
      { seqs: [1.5, 0, 0, 0] },
      { seqs: Array(300).fill(0) },
      { epoch: null },
      { from_primary: 'yes' },
      { behind: [4] },
      { behind: [0, 1, 2, 3, 0] },
      { wall: { earliest_ms: 2, latest_ms: 1 } },
    ];
    for (const change of bad) {
      server.tamper = () => change;
      await expect(source.lease(ask, forever)).rejects.toMatchObject({ name: 'BadAnswer' });
    }
  });

  it('believes no relay that calls old heads young', async () => {
    const key = authority.issue(0);
    const verifier = follow();
    await verifier.ready;
    const before = authority.feed.heads();
    authority.change(key, 'suspended');
    await soon(() => expect(verifier.verify(key.text).code).toBe('suspended'));
    server.tamper = () => ({ seqs: before.seqs, from_primary: false, age_ms: 0 });
    await soon(() => expect(String(verifier.reason)).toContain('younger than they can be'));
    authority.clock.advance(leaseMs + 1);
    expect(verifier.state).toBe('stale');
  });

  it('quarantines the shard of a row that a newer version wrote, and serves the others', async () => {
    const [touched, other] = [authority.issue(0), authority.issue(1)];
    const greeting = encodeFrame(
      frameTypes.hello,
      json({ v: 1, ...authority.resident.applied(), age_ms: null }),
    );
    answer('stream', (response) => response.writeHead(200).write(greeting));
    const verifier = follow();
    await verifier.ready;
    const row = authority.changeUntold(touched, 'revoked');
    const { epoch, shard, seq } = row;
    const newer = { ...encodeFeedRow(row), v: 2 };
    const payload = json({ epoch, shard, after: seq - 1, up_to: seq, rows: [newer] });
    const frame = encodeFrame(frameTypes.stretch, payload);
    server.instead = (request, response) => {
      const isStream = request.url?.startsWith('/v1/feed/stream') === true;
      if (isStream) response.writeHead(200).write(Buffer.concat([greeting, frame]));
      else if (request.url?.startsWith('/v1/feed/rows') === true) response.writeHead(200).end(frame);
      else return false;
      return true;
    };
    await verifier.verifyFresh('orders_live_unknown');
    await soon(() => expect(verifier.quarantined).toEqual([shard]));
    authority.clock.advance(leaseMs + 1);
    await soon(() => expect(verifier.verify(other.text).code).toBe('valid'));
    expect(verifier.verify(touched.text).code).toBe('stale');
    expect(String(verifier.reason)).toContain('row.v');
    server.instead = () => false;
    await soon(() => expect(verifier.verify(touched.text).code).toBe('revoked'));
  });

  it('takes no stretch but the one that it asked for', async () => {
    const key = authority.issue(0);
    const { epoch } = authority.feed;
    const places = [
      { epoch, shard: (key.shard + 1) % 4, after: 0, up_to: 1, rows: [] },
      { epoch, shard: key.shard, after: 1, up_to: 2, rows: [] },
      { epoch, shard: key.shard, after: 0, up_to: 99, rows: [] },
    ];
    for (const place of places) {
      answer('rows', (response) => response.writeHead(200).end(encodeFrame(frameTypes.stretch, json(place))));
      const range = { after: 0, upTo: 1, limit: 10 };
      await expect(source.rows(key.shard, range, forever)).rejects.toMatchObject({ name: 'BadAnswer' });
    }
  });

  it('follows no redirect, and shows its credential to nobody else', async () => {
    const elsewhere = new FeedHttpServer({
      source: authority.relay.sourceFor({}),
      timers,
      wallMs: () => 0,
      heads: () => authority.resident.applied(),
    });
    await elsewhere.listen();
    opened.push(elsewhere);
    answer('lease', (response) => {
      response.writeHead(307, { location: `${elsewhere.url}/v1/feed/lease` }).end();
    });
    await expect(source.lease(ask, forever)).rejects.toBeInstanceOf(RelayFailed);
    expect(elsewhere.requests).toEqual([]);
  });

  it('reads no more of an answer than one can be long', async () => {
    answer('lease', (response) => {
      response.writeHead(200);
      // Goes on until somebody hangs up.
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(leaseReplyBytesMax), more);
      };
      more();
    });
    await expect(source.lease(ask, forever)).rejects.toMatchObject({ name: 'BadAnswer' });
  });

  it('tells a refusal from a busy relay, and nothing of the credential with either', async () => {
    const wrong = sourceAt(server.url, 'ks_wrong_credential_4711');
    const refused = await wrong.lease(ask, forever).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RelayRefused);
    answer('lease', (response) => problem(response, 429, {}, { 'retry-after': '7' }));
    const busy = await source.lease(ask, forever).catch((error: unknown) => error);
    expect(busy).toBeInstanceOf(RelayBusy);
    expect(busy).toMatchObject({ retryAfterMs: 7_000 });
    answer('lease', (response) => response.destroy());
    const gone = await source.lease(ask, forever).catch((error: unknown) => error);
    expect(gone).toBeInstanceOf(RelayUnreachable);
    const shown = inspect([refused, busy, gone, source, wrong], { depth: 12, showHidden: true });
    expect(shown).not.toContain('ks_wrong');
    expect(shown).not.toContain(credential);
  });

  it('gives up a stream that brings not a byte for three heartbeats', async () => {
    const { epoch, seqs } = authority.resident.applied();
    answer('stream', (response) => {
      response.writeHead(200);
      response.write(encodeFrame(frameTypes.hello, json({ v: 1, epoch, seqs, age_ms: null })));
    });
    expect(String(await endOfStream())).toContain('silent');
  });

  it('ends a stream at a greeting or a frame that it does not know', async () => {
    const { epoch, seqs } = authority.resident.applied();
    const hello = (v: number) => encodeFrame(frameTypes.hello, json({ v, epoch, seqs, age_ms: null }));
    const unknown = Buffer.from(hello(1));
    unknown[4] = 99;
    const ends: unknown[] = [];
    for (const sent of [hello(2), Buffer.concat([hello(1), unknown]), Buffer.concat([hello(1), hello(1)])]) {
      answer('stream', (response) => response.writeHead(200).write(sent));
      ends.push(await endOfStream());
    }
    expect(ends.map((error) => (error instanceof Error ? error.name : ''))).toEqual([
      'BadAnswer',
      'BadFrame',
      'BadFrame',
    ]);
  });

  it('asks once more when a kept connection turns out to be closed', async () => {
    await source.lease(ask, forever);
    let resets = 0;
    answer('lease', (response) => {
      resets += 1;
      if (resets === 1) response.socket?.resetAndDestroy();
      else response.writeHead(200).end('{}');
    });
    await expect(source.lease(ask, forever)).rejects.toMatchObject({ name: 'BadAnswer' });
    expect(resets).toBe(2);
  });

  it('leaves nothing open behind it', async () => {
    const verifier = follow();
    await verifier.ready;
    await soon(() => expect(server.connections).toBeGreaterThan(0));
    await verifier.close();
    await soon(() => expect(server.connections).toBe(0));
    expect(authority.relay.readers).toBe(0);
  });

  async function bodyOf(url: string): Promise<Buffer> {
    const reply = await fetch(url, { headers: { authorization: `Bearer ${credential}` } });
    return Buffer.from(await reply.arrayBuffer());
  }
});

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FeedListener, FeedSource } from '../feed/feed-source.ts';
import { ListedTimers } from '../follow/testing/follower-bench.ts';
import { feedHeartbeatMs, snapshotPaceMs, streamBufferedBytesMax, writeStallMsMax } from '../limits.ts';
import { keyFact, keyRow } from '../testing/sample-facts.arbitrary.ts';
import { FrameReader, frameTypes } from '../wire/frames.ts';
import { serveRows, serveSnapshot, serveStream } from './serve-feed.ts';

const heads = { epoch: 1, seqs: [0, 0] };
const stretch = { epoch: 1, shard: 0, after: 0, upTo: 1, rows: [keyRow(1, keyFact(1))] };

/** A source that pushes when it is told to. */
class PushingSource implements FeedSource {
  listener: FeedListener | undefined;
  closed = 0;
  isGone = false;

  lease = () => Promise.reject(new Error('not asked'));
  rows = async () => (this.isGone ? ('gone' as const) : stretch);
  snapshot = () => Promise.reject(new Error('not asked'));

  subscribe(_: unknown, listener: FeedListener) {
    this.listener = listener;
    if (this.isGone) listener.ended(new Error('gone'));
    else listener.stretch(stretch);
    return {
      close: () => {
        this.closed += 1;
      },
    };
  }
}

describe('the serving end of the feed', () => {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.close();
  });

  /** One request, as bytes on a socket that reads only when it is told to. */
  async function request(serve: (response: ServerResponse) => void) {
    const server = createServer((_, response) => serve(response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const socket: Socket = connect(address.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    opened.push({ close: () => server.close() }, { close: () => socket.destroy() });
    opened.push({ close: () => server.closeAllConnections() });
    socket.write('GET / HTTP/1.0\r\n\r\n');
    return socket;
  }

  /** Frames of what came so far. */
  function reading(socket: Socket) {
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
    });
    socket.resume();
    return () => {
      const body = bytes.indexOf('\r\n\r\n');
      return body < 0 ? [] : new FrameReader().push(bytes.subarray(body + 4)).map(({ type }) => type);
    };
  }

  it('greets, then tells what it is told, and beats', async () => {
    const timers = new ListedTimers();
    const source = new PushingSource();
    const socket = await request((response) => {
      void serveStream({ response, timers }, { source, from: heads, hello: { heads, ageMs: 0 } });
    });
    const types = reading(socket);
    const { hello, stretch: told, wanted, heartbeat } = frameTypes;
    await vi.waitFor(() => expect(types()).toEqual([hello, told]));
    source.listener?.wanted();
    timers.fire(feedHeartbeatMs);
    await vi.waitFor(() => expect(types()).toEqual([hello, told, wanted, heartbeat]));
  });

  it('ends a stream with its source, and its subscription with its reader', async () => {
    const timers = new ListedTimers();
    const [first, second] = [new PushingSource(), new PushingSource()];
    const ends: unknown[] = [];
    const serve = (source: PushingSource) => (response: ServerResponse) => {
      const served = serveStream({ response, timers }, { source, from: heads, hello: { heads, ageMs: 0 } });
      if (served !== 'gone') void served.then((why) => ends.push(why));
    };
    const left = await request(serve(first));
    await vi.waitFor(() => expect(first.listener).toBeDefined());
    left.destroy();
    await vi.waitFor(() => expect([ends, first.closed]).toEqual([['reader_left'], 1]));
    const over = await request(serve(second));
    over.resume();
    await vi.waitFor(() => expect(second.listener).toBeDefined());
    second.listener?.ended(new Error('a new table'));
    await once(over, 'end');
    expect(ends).toEqual(['reader_left', 'source_ended']);
    expect(timers.listed.size).toBe(0);
  });

  it('says `gone` before a byte is written', async () => {
    const source = new PushingSource();
    source.isGone = true;
    const told: unknown[] = [];
    const socket = await request((response) => {
      const to = { response, timers: new ListedTimers() };
      told.push(serveStream(to, { source, from: heads, hello: { heads, ageMs: 0 } }));
      void serveRows(to, { source, shard: 0, range: { after: 0, upTo: 1, limit: 1 } }).then((what) => {
        told.push(what);
        response.writeHead(410).end();
      });
    });
    socket.resume();
    await once(socket, 'end');
    expect(told).toEqual(['gone', 'gone']);
  });

  it('cuts off a reader that leaves too much lying, and holds no more for it', async () => {
    const source = new PushingSource();
    let most = 0;
    let why: unknown;
    await request((response) => {
      const served = serveStream(
        { response, timers: new ListedTimers() },
        { source, from: heads, hello: { heads, ageMs: 0 } },
      );
      if (served === 'gone') return;
      void served.then((end) => {
        why = end;
      });
      while (!response.destroyed) {
        source.listener?.stretch({ ...stretch });
        most = Math.max(most, response.writableLength);
      }
    });
    await vi.waitFor(() => expect([why, source.closed]).toEqual(['reader_slow', 1]));
    expect(most).toBeLessThan(streamBufferedBytesMax + 10_000);
  });

  it.each([
    ['nothing for long', writeStallMsMax],
    ['too little in a while', snapshotPaceMs],
  ])('waits for the reader of a snapshot, and cuts it off when it takes %s', async (_, afterMs) => {
    const timers = new ListedTimers();
    let read = 0;
    let end: unknown;
    const facts = function* () {
      for (let key = 1; key <= 400_000; key += 1) {
        read += 1;
        yield { kind: 'key' as const, fact: keyFact(key % 100) };
      }
    };
    await request((response) => {
      const reading = { heads, ageMs: undefined, facts: facts(), tail: () => ({ stretches: [], heads }) };
      void serveSnapshot({ response, timers }, reading).then((what) => {
        end = what;
      });
    });
    await vi.waitFor(() => expect(timers.listed.size).toBe(2), { timeout: 10_000 });
    const before = read;
    expect(before).toBeLessThan(400_000);
    // What went out before is counted once; a second look finds that nothing was taken since.
    timers.fire(afterMs);
    timers.fire(afterMs);
    await vi.waitFor(() => expect(end).toBe('cut_off'));
    expect(read).toBe(before);
  });

  it('breaks the connection when what it reads from fails, so that nobody takes half for a whole', async () => {
    let failed: unknown;
    const facts = function* () {
      yield { kind: 'key' as const, fact: keyFact(1) };
      throw new Error('the table is gone');
    };
    const socket = await request((response) => {
      const reading = { heads, ageMs: undefined, facts: facts(), tail: () => ({ stretches: [], heads }) };
      serveSnapshot({ response, timers: new ListedTimers() }, reading).catch((error: unknown) => {
        failed = error;
      });
    });
    const types = reading(socket);
    await once(socket, 'close');
    expect(types()).not.toContain(frameTypes.end);
    expect(String(failed)).toContain('the table is gone');
  });
});

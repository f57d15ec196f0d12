import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FeedHttpServer, problem } from './conformance/testing/feed-http-server.ts';
import { leaseMs, MemoryAuthority } from './conformance/testing/memory-authority.ts';
import { hurried, SteppedClock } from './conformance/testing/stepped-clock.ts';
import { createVerifier, type VerifierOptions } from './create-verifier.ts';
import type { Verifier } from './library/verifier-api.ts';

const credential = 'ks_feed_reader_of_the_tests';
const hurry = 0.2;

describe('a verifier in somebody’s service', () => {
  let authority: MemoryAuthority;
  let server: FeedHttpServer;
  let lines: string[];
  const opened: { close(): unknown }[] = [];

  beforeEach(async () => {
    authority = new MemoryAuthority(new SteppedClock(), hurried(hurry));
    await authority.ready;
    server = await serve(authority);
    lines = [];
  });

  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.close();
    await authority.stop();
  });

  async function serve(of: MemoryAuthority): Promise<FeedHttpServer> {
    const made = new FeedHttpServer({
      source: of.relay.sourceFor({}),
      timers: hurried(hurry),
      wallMs: () => of.clock.wallMs(),
      heads: () => of.resident.applied(),
      credential,
    });
    await made.listen();
    opened.push(made);
    return made;
  }

  function start(options: Partial<VerifierOptions> = {}): Verifier {
    const line = (level: string) => (about: object, message: string) => {
      lines.push(`${level} ${message} ${inspect(about, { depth: 9, showHidden: true })}`);
    };
    const verifier = createVerifier({
      relays: server.url,
      credential,
      lease: { askMs: 100 },
      log: { info: line('info'), warn: line('warn'), error: line('error') },
      ports: { machine: authority.clock, timers: hurried(hurry) },
      ...options,
    });
    opened.push(verifier);
    return verifier;
  }

  const soon = (check: () => void) => vi.waitFor(check, { timeout: 4_000, interval: 5 });

  it('answers from memory, says as of when, and counts what it says', async () => {
    const key = authority.issue(0);
    const verifier = start();
    expect(verifier.verify(key.text)).toEqual({ valid: null, code: 'stale', asOf: null });
    await verifier.ready;
    const askedMs = authority.clock.wallMs();
    const answer = verifier.verify(key.text, { scopes: ['orders:read'], keyspace: 'orders-1' });
    expect(answer).toMatchObject({ valid: true, keyspace: 'orders-1' });
    expect(answer.asOf).toBeLessThanOrEqual(authority.clock.wallMs());
    expect(answer.asOf).toBeGreaterThan(askedMs - leaseMs);
    expect(verifier.verify(key.text, { scopes: ['orders:write'] }).code).toBe('insufficient_scope');
    expect(verifier.verify('nonsense').code).toBe('malformed');
    expect(verifier.stats()).toMatchObject({
      versions: 1,
      keyspaces: 1,
      snapshots: 1,
      quarantinedShards: 0,
      verdicts: { stale: 1, valid: 1, insufficient_scope: 1, malformed: 1 },
    });
  });

  it('waits for news before it refuses, when asked to, and all who wait share it', async () => {
    const verifier = start();
    await verifier.ready;
    // The relay says nothing by itself, so that only an ask can bring it.
    const late = authority.issueUntold(0);
    expect(verifier.verify(late.text).code).toBe('unknown');
    const asks = verifier.stats().leaseAnswers;
    const answers = await Promise.all(Array.from({ length: 200 }, () => verifier.verifyFresh(late.text)));
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['valid']));
    expect(verifier.stats().leaseAnswers - asks).toBeLessThan(20);
  });

  it('knows of the change that `minSeq` names, or says stale', async () => {
    const verifier = start();
    await verifier.ready;
    const key = authority.issueUntold(0);
    const revoked = authority.changeUntold(key, 'revoked');
    const { epoch, shard, seq } = revoked;
    const known = await verifier.verifyFresh(key.text, { minSeq: `${epoch}.${shard}.${seq}` });
    expect(known.code).toBe('revoked');
    expect((await verifier.verifyFresh(key.text, { minSeq: `${epoch}.${shard}.${seq + 1}` })).code).toBe(
      'stale',
    );
    await expect(verifier.verifyFresh(key.text, { minSeq: 'yesterday' })).rejects.toThrow(TypeError);
  });

  it('tells how it is, in order, to those who listen', async () => {
    const verifier = start();
    const told: string[] = [];
    for (const name of ['fresh', 'aging', 'stale', 'refused', 'closed'] as const)
      verifier.on(name, ({ state }) => told.push(state));
    verifier.on('fresh', () => {
      throw new Error('a bad listener');
    });
    await verifier.ready;
    await soon(() => expect(told).toEqual(['fresh']));
    authority.gate = () => new Promise(() => {});
    authority.clock.advance(leaseMs / 2 + 1);
    await soon(() => expect(told).toEqual(['fresh', 'aging']));
    authority.clock.advance(leaseMs / 2);
    await soon(() => expect(told).toEqual(['fresh', 'aging', 'stale']));
    await verifier.close();
    expect(told.at(-1)).toBe('closed');
    expect(lines.join('\n')).toContain('a listener has failed');
  });

  it('says `refused` for a wrong credential, asks seldom from then on, and shows it nowhere', async () => {
    const wrong = 'ks_wrong_credential_4711';
    const verifier = start({ credential: wrong });
    await soon(() => expect(verifier.state).toBe('refused'));
    expect(String(verifier.reason)).toContain('401');
    const asked = server.requests.length;
    await verifier.verifyFresh('orders_live_x');
    expect(server.requests.length).toBe(asked);
    expect(verifier.verify('orders_live_x').code).toBe('stale');
    const everything = [
      ...lines,
      inspect(verifier, { depth: 12, showHidden: true }),
      inspect(verifier.reason),
    ];
    expect(everything.join('\n')).not.toContain(wrong);
    expect(lines.filter((line) => line.includes('refuses the credential'))).toHaveLength(1);
    const told = lines.filter((line) => line.includes('refused with 401'));
    expect(told.map((line) => line.split(' ')[0])).toEqual(expect.arrayContaining(['warn', 'error']));
    for (const line of told) expect(line).not.toMatch(/^ +at /m);
  });

  it('serves on when its credential loses its scope, and goes stale with its lease', async () => {
    const key = authority.issue(0);
    const verifier = start();
    await verifier.ready;
    server.instead = (_, response) => {
      problem(response, 403, { code: 'forbidden' });
      return true;
    };
    await soon(() => expect(verifier.state).toBe('refused'));
    expect(verifier.verify(key.text).code).toBe('valid');
    authority.clock.advance(leaseMs + 1);
    expect(verifier.verify(key.text).code).toBe('stale');
  });

  it('asks the authority where it is stale and may, and nobody where it may not', async () => {
    const key = authority.issue(0);
    const verifier = start({ fallback: { keyspaces: ['orders-1'] } });
    await verifier.ready;
    const { fact } = key;
    const view = {
      valid: true,
      code: 'valid',
      key_id: fact.id,
      version: 1,
      owner: { id: fact.ownerId, kind: 'service', external_id: 'x' },
      keyspace_id: fact.keyspaceId,
      keyspace: 'orders-1',
      scopes: fact.scopes,
      expires_at: null,
    };
    let verdict: object = view;
    server.instead = (request, response) => {
      if (request.url === '/v1/keys/verify') {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(verdict));
      } else {
        request.socket.destroy();
      }
      return true;
    };
    authority.clock.advance(leaseMs + 1);
    await soon(() => expect(verifier.follower.state.kind).toBe('unreachable'));
    expect(verifier.verify(key.text).code).toBe('stale');
    expect(await verifier.verifyFresh(key.text, { keyspace: 'orders-1' })).toMatchObject({
      valid: true,
      keyId: fact.id,
    });
    expect((await verifier.verifyFresh(key.text)).code).toBe('stale');
    for (const bad of [
      {},
      { valid: true, code: 'valid' },
      { ...view, scopes: 'all' },
      { valid: 1, code: 'valid' },
    ]) {
      verdict = bad;
      expect((await verifier.verifyFresh(key.text, { keyspace: 'orders-1' })).code).toBe('stale');
    }
    verdict = { valid: false, code: 'revoked' };
    expect((await verifier.verifyFresh(key.text, { keyspace: 'orders-1' })).code).toBe('revoked');
    expect(verifier.stats()).toMatchObject({ fallbackAsked: 6, fallbackFailed: 4 });
  });

  it('begins from its file, stale until it has followed, and asks for no snapshot', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'keyswarm-library-'));
    opened.push({ close: () => rm(directory, { recursive: true, force: true }) });
    const snapshotPath = join(directory, 'feed.snapshot');
    const [kept, revoked] = [authority.issue(0), authority.issue(1)];
    const first = start({ snapshotPath });
    await first.ready;
    await first.close();
    authority.change(revoked, 'revoked');

    authority.gate = () => new Promise(() => {});
    const second = start({ snapshotPath });
    await soon(() => expect(second.stats().versions).toBe(2));
    expect([kept, revoked].map(({ text }) => second.verify(text).code)).toEqual(['stale', 'stale']);
    await second.close();

    authority.gate = async () => {};
    const third = start({ snapshotPath });
    await third.ready;
    expect([kept, revoked].map(({ text }) => third.verify(text).code)).toEqual(['valid', 'revoked']);
    expect(third.stats().snapshots).toBe(0);
    await third.close();

    const other = start({ snapshotPath, credential: 'ks_of_another_workspace' });
    await soon(() => expect(lines.join('\n')).toContain("why: 'foreign'"));
    expect(other.stats().versions).toBe(0);
  });

  it('moves to another relay when its own is gone, and goes on from where it stood', async () => {
    const other = await serve(authority);
    const key = authority.issue(0);
    const verifier = start({ relays: [server.url, other.url] });
    const moves: string[] = [];
    verifier.on('moved', ({ to }) => moves.push(to));
    await verifier.ready;
    const { snapshots } = verifier.stats();
    const [lost, kept] = verifier.relay === server.url ? [server, other] : [other, server];
    lost.instead = (request) => {
      request.socket.destroy();
      return true;
    };
    await soon(() => expect([verifier.relay, moves.at(-1)]).toEqual([kept.url, kept.url]));
    authority.change(key, 'revoked');
    await soon(() => expect(verifier.verify(key.text).code).toBe('revoked'));
    expect(verifier.stats().snapshots).toBe(snapshots);
    await soon(() => expect(verifier.state).toBe('fresh'));
  });

  it('refuses options that can not be meant, with nothing opened', () => {
    expect(() => createVerifier({ relays: [], credential })).toThrow('`relays`');
    expect(() => createVerifier({ relays: server.url, credential, keyspaces: [] })).toThrow('`keyspaces`');
    expect(() => createVerifier({ relays: server.url })).toThrow('`credential`');
    expect(() => createVerifier({ relays: 'ftp://x', credential })).toThrow('http://');
    expect(() => createVerifier({ relays: 'https://u:p@x', credential })).toThrow('without a user');
    expect(() => createVerifier({ relays: server.url, credential: 'a b' })).toThrow('printable ASCII');
    expect(server.requests).toEqual([]);
  });
});

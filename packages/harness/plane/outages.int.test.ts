import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerProcess } from '../acceptance/server-process.ts';
import type { NodeProcess } from '../bound/node-process.ts';
import { startTcpProxy, type TcpProxy } from '../faults/index.ts';
import { ask, codeOf, verify } from './ask.ts';
import { freePort, type IssuedKey, type Plane, signal, startPlane, until } from './plane.ts';
import { runKeyswarm } from './run-keyswarm.ts';

/* The relay of a node stands still, dies, or is cut off: what the node says meanwhile, and that it heals by itself. */

let plane: Plane;
let node: NodeProcess;
let quick: IssuedKey;
let usual: IssuedKey;

beforeAll(async () => {
  plane = await startPlane();
  await plane.createKeyspace('quick', { prefix: 'quick', lease_seconds: 1 });
  await plane.createKeyspace('usual', { prefix: 'usual', lease_seconds: 30 });
  quick = await plane.issue('quick');
  usual = await plane.issue('usual');
  node = await plane.startNode({ name: 'lonely' });
});
afterAll(() => plane?.stop());

const quickCode = (at = node) => codeOf(at, { key: quick.secret });
const usualCode = (at = node) => codeOf(at, { key: usual.secret });

describe('while the server stands still', () => {
  it('a short lease ends in 503 stale within the bound, a long one goes on, and it heals by itself', async () => {
    expect([await quickCode(), await usualCode()]).toEqual(['valid', 'valid']);
    signal(plane.server.pid, 'SIGSTOP');
    const stoppedAtMs = performance.now();
    let lastValidSentMs = stoppedAtMs;
    try {
      await until('the short lease is over', async () => {
        const sentMs = performance.now();
        const code = await quickCode();
        if (code === 'valid') lastValidSentMs = sentMs;
        expect(['valid', '503 stale']).toContain(code);
        return code === '503 stale';
      });
      // Nothing was asked for after the stop, so that the lease can't count from later.
      expect(lastValidSentMs - stoppedAtMs).toBeLessThanOrEqual(1010);
      const stale = await verify(node, { key: quick.secret });
      expect(stale.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(Number(stale.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(stale.body).not.toHaveProperty('valid');
      expect(await usualCode()).toBe('valid');
    } finally {
      signal(plane.server.pid, 'SIGCONT');
    }
    await until('it is fresh again', async () => (await quickCode()) === 'valid');
  });

  it('a key that nobody knows is not said to be unknown, as it may have been issued meanwhile', async () => {
    const unheard = mintKeyString('usual', randomBytes);
    expect(await codeOf(node, { key: unheard })).toBe('unknown');
    signal(plane.server.pid, 'SIGSTOP');
    try {
      expect(await codeOf(node, { key: unheard })).toBe('503 stale');
    } finally {
      signal(plane.server.pid, 'SIGCONT');
    }
    await until('it is fresh again', async () => (await codeOf(node, { key: unheard })) === 'unknown');
  });
});

describe('a node behind a wire', () => {
  let wire: TcpProxy;
  let wired: NodeProcess;

  beforeAll(async () => {
    wire = await startTcpProxy({ port: Number(new URL(plane.server.url).port) });
    wired = await plane.startNode({ name: 'wired', relayUrl: wire.url });
  });
  afterAll(() => wire?.close());

  it('accepts a revoked key no longer than effective_by says, whatever the wire does', async () => {
    for (const fault of [{ hold: 'both' }, { hold: 'to_client' }, { refuse: true }] as const) {
      const key = await plane.issue('quick');
      expect(await codeOf(wired, { key: key.secret })).toBe('valid');
      wire.set(fault);
      if ('refuse' in fault) wire.reset();
      const { body } = await plane.call('POST', `/v1/keys/${key.id}/revoke`, {});
      const effectiveByMs = Date.parse(String(body.effective_by));
      let lastValidSentMs = 0;
      let answers = 0;
      while (Date.now() < effectiveByMs + 300) {
        const sentMs = Date.now();
        if ((await codeOf(wired, { key: key.secret })) === 'valid') lastValidSentMs = sentMs;
        answers += 1;
      }
      expect(answers).toBeGreaterThan(10);
      expect([fault, lastValidSentMs < effectiveByMs]).toEqual([fault, true]);
      expect(await codeOf(wired, { key: key.secret })).toBe('503 stale');
      expect(await usualCode(wired)).toBe('valid');
      wire.heal();
      await until('it knows', async () => (await codeOf(wired, { key: key.secret })) === 'revoked');
      // That may come by a push, which renews nothing: the next round begins once the lease is back as well.
      await until('its short lease is back', async () => (await quickCode(wired)) === 'valid');
    }
  });
});

describe('a server that is killed', () => {
  let second: ServerProcess;
  let twoRelays: NodeProcess;

  beforeAll(async () => {
    second = await plane.startServer();
    const dead = `http://127.0.0.1:${await freePort()}`;
    twoRelays = await plane.startNode({
      name: 'two-relays',
      relayUrl: `${dead},${second.url},${plane.server.url}`,
    });
  });

  it('is left for another relay by who has one, without one stale answer under a lease of 30 s', async () => {
    expect(await quickCode(twoRelays)).toBe('valid');
    await second.kill();
    const fresh = await plane.issue('usual');
    for (let round = 0; round < 50; round += 1) expect(await usualCode(twoRelays)).toBe('valid');
    await until(
      'it follows the other one',
      async () => (await codeOf(twoRelays, { key: fresh.secret })) === 'valid',
    );
    await until('its short lease is back', async () => (await quickCode(twoRelays)) === 'valid');
  });

  it('a node keeps what it knows on disk, and a restart is not ready and accepts nothing until it is fresh', async () => {
    const key = await plane.issue('usual');
    const env = { KEYSWARM_SNAPSHOT_PATH: join(plane.dataDir, 'node.snapshot') };
    const wire = await startTcpProxy({ port: Number(new URL(plane.server.url).port) });
    const first = await plane.startNode({ name: 'kept', relayUrl: wire.url, env });
    expect(await codeOf(first, { key: key.secret })).toBe('valid');
    expect(await first.stop()).toBe(0);
    await plane.call('POST', `/v1/keys/${key.id}/revoke`, {});
    wire.set({ refuse: true });
    const port = await freePort();
    const again = runKeyswarm(['verifier', '--relay', wire.url, '--port', String(port)], {
      KEYSWARM_VERIFIER_KEY: plane.managementKey,
      ...env,
    });
    try {
      const desk = { url: `http://127.0.0.1:${port}`, managementKey: plane.managementKey };
      await until('it listens', () =>
        ask(`${desk.url}/healthz`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
      await until('it has read its file', () => again.output().includes('disk'));
      for (let round = 0; round < 20; round += 1) {
        expect((await ask(`${desk.url}/readyz`)).status).toBe(503);
        expect((await verify(desk, { key: key.secret })).status).toBe(503);
        expect((await verify(desk, { key: usual.secret })).status).toBe(503);
      }
      wire.heal();
      await until('it is ready', async () => {
        const code = await codeOf(desk, { key: key.secret });
        expect(['revoked', '503 stale']).toContain(code);
        return code === 'revoked';
      });
      expect(await codeOf(desk, { key: usual.secret })).toBe('valid');
    } finally {
      await again.end();
      await wire.close();
    }
  });

  it('is found again by every node once another one stands in its place', async () => {
    const port = new URL(plane.server.url).port;
    await plane.server.kill();
    await until('the short lease is over', async () => (await quickCode()) === '503 stale');
    expect(await usualCode()).toBe('valid');
    const next = await plane.startServer({ port });
    await until('it is fresh again', async () => (await quickCode()) === 'valid');
    expect((await ask(`${node.url}/readyz`)).status).toBe(200);
    expect(next.url).toBe(plane.server.url);
    const key = await plane.issue('usual');
    expect(await codeOf(node, { key: key.secret })).toBe('valid');
  });
});

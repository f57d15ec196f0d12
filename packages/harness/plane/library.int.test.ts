import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { mintKeyString } from '@keyswarm/core';
import { createVerifier, type Verifier, type VerifierOptions } from '@keyswarm/verifier';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type IssuedKey, type Plane, signal, startPlane, until } from './plane.ts';

/* `createVerifier` in a service: this process. */

let plane: Plane;
let credential: IssuedKey;
let key: IssuedKey;
const open: Verifier[] = [];
const here = fileURLToPath(new URL('.', import.meta.url));

beforeAll(async () => {
  plane = await startPlane();
  await plane.createKeyspace('quick', { prefix: 'quick', lease_seconds: 1 });
  await plane.createKeyspace('usual', { prefix: 'usual', lease_seconds: 30 });
  credential = await plane.mintManagementKey(['feed:read']);
  key = await plane.issue('usual');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((verifier) => verifier.close()));
});
afterAll(() => plane?.stop());

function verifierOf(more: Partial<VerifierOptions> = {}): Verifier {
  const verifier = createVerifier({ relays: plane.server.url, credential: credential.secret, ...more });
  open.push(verifier);
  return verifier;
}

describe('verify', () => {
  it('is stale before the first lease, and answers from memory at once afterwards', async () => {
    const verifier = verifierOf();
    expect(verifier.state).toBe('loading');
    expect(verifier.verify(key.secret).valid).not.toBe(true);
    expect(verifier.verify(key.secret).code).toBe('stale');
    await verifier.ready;
    const answer = verifier.verify(key.secret, { keyspace: 'usual', scopes: ['orders:read'] });
    expect(answer).toMatchObject({
      valid: true,
      code: 'valid',
      keyId: key.id,
      version: 1,
      asOf: expect.any(Number),
    });
    expect(Math.abs(Number(answer.asOf) - Date.now())).toBeLessThan(2_000);
    expect(verifier.verify(key.secret, { keyspace: 'quick' })).toMatchObject({
      valid: false,
      code: 'wrong_keyspace',
    });
    expect(verifier.verify(key.secret, { scopes: ['orders:write'] })).toMatchObject({
      code: 'insufficient_scope',
    });
    expect(verifier.verify('no key')).toMatchObject({ valid: false, code: 'malformed' });
    expect(verifier.verify(mintKeyString('usual', randomBytes))).toMatchObject({
      valid: false,
      code: 'unknown',
    });
  });

  it('hears of a revocation by itself', async () => {
    const verifier = verifierOf();
    await verifier.ready;
    const doomed = await plane.issue('usual');
    await until('it is known', () => verifier.verify(doomed.secret).valid === true);
    await plane.call('POST', `/v1/keys/${doomed.id}/revoke`, {});
    await until('it is refused', () => verifier.verify(doomed.secret).code === 'revoked');
  });
});

describe('verifyFresh', () => {
  it('knows every key that was issued before it was asked', async () => {
    const verifier = verifierOf();
    await verifier.ready;
    for (let round = 0; round < 30; round += 1) {
      const fresh = await plane.issue('usual');
      expect((await verifier.verifyFresh(fresh.secret)).code).toBe('valid');
      const { body } = await plane.call('POST', `/v1/keys/${fresh.id}/revoke`, {});
      expect((await verifier.verifyFresh(fresh.secret, { minSeq: String(body.seq) })).code).toBe('revoked');
    }
  });

  it('rejects a minSeq that no reply has ever named, and says stale to one that is yet to come', async () => {
    const verifier = verifierOf();
    await verifier.ready;
    await expect(verifier.verifyFresh(key.secret, { minSeq: 'nonsense' })).rejects.toThrow(TypeError);
    const [epoch, shard] = key.seq.split('.');
    expect((await verifier.verifyFresh(key.secret, { minSeq: `${epoch}.${shard}.999999999` })).code).toBe(
      'stale',
    );
    expect((await verifier.verifyFresh(key.secret, { minSeq: '999999.0.1' })).code).toBe('stale');
  });
});

describe('state and events', () => {
  it('tell of a relay that stands still, keyspace by keyspace, and of its return', async () => {
    const quick = await plane.issue('quick');
    const verifier = verifierOf();
    const seen: string[] = [];
    for (const name of ['fresh', 'aging', 'stale', 'unreachable', 'refused'] as const) {
      verifier.on(name, () => seen.push(name));
    }
    await verifier.ready;
    expect(verifier.state).toBe('fresh');
    expect(verifier.relay).toBe(plane.server.url);
    signal(plane.server.pid, 'SIGSTOP');
    try {
      await until('it ages', () => verifier.state === 'aging');
      await until('the short lease is over', () => verifier.verify(quick.secret).code === 'stale');
      expect(verifier.verify(key.secret).code).toBe('valid');
    } finally {
      signal(plane.server.pid, 'SIGCONT');
    }
    await until(
      'it is fresh again',
      () => verifier.state === 'fresh' && verifier.verify(quick.secret).valid === true,
    );
    expect(seen.filter((name) => name === 'fresh').length).toBeGreaterThanOrEqual(2);
    expect(seen).toContain('aging');
    expect(seen).not.toContain('stale');
  });

  it('are stale where every lease is over', async () => {
    const verifier = verifierOf({ keyspaces: ['quick'] });
    let told = 0;
    const off = verifier.on('stale', ({ state }) => {
      expect(state).toBe('stale');
      told += 1;
    });
    await verifier.ready;
    signal(plane.server.pid, 'SIGSTOP');
    try {
      await until('it says so', () => told > 0);
      expect(verifier.state).toBe('stale');
    } finally {
      signal(plane.server.pid, 'SIGCONT');
    }
    await until('it is fresh again', () => verifier.state === 'fresh');
    off();
  });

  it('tell of a credential that is refused, and never become ready', async () => {
    const other = await plane.mintManagementKey(['keys:verify']);
    for (const wrong of [mintKeyString('keyswarm', randomBytes), other.secret]) {
      const verifier = verifierOf({ credential: wrong });
      const refused = Promise.withResolvers<unknown>();
      verifier.on('refused', ({ reason }) => refused.resolve(reason));
      expect(String(await refused.promise)).not.toContain(wrong);
      expect(verifier.state).toBe('refused');
      expect(verifier.verify(key.secret).code).toBe('stale');
      expect((await verifier.verifyFresh(key.secret)).code).toBe('stale');
    }
  });
});

it('holds the named keyspaces and nothing else', async () => {
  const quick = await plane.issue('quick');
  const verifier = verifierOf({ keyspaces: ['usual'] });
  await verifier.ready;
  expect(verifier.verify(key.secret).code).toBe('valid');
  expect(verifier.verify(quick.secret).valid).not.toBe(true);
  expect(verifier.stats()).toMatchObject({ keyspaces: 1 });
  const late = await plane.issue('usual');
  expect((await verifier.verifyFresh(late.secret)).code).toBe('valid');
});

it('may hold no more than its credential may read', async () => {
  const narrow = await plane.mintManagementKey(['feed:read:usual']);
  const verifier = verifierOf({ credential: narrow.secret, keyspaces: ['usual'] });
  await verifier.ready;
  expect(verifier.verify(key.secret).code).toBe('valid');
  const greedy = verifierOf({ credential: narrow.secret, keyspaces: ['usual', 'quick'] });
  await until('it is refused', () => greedy.state === 'refused');
  expect(greedy.verify(key.secret).valid).not.toBe(true);
});

it.each([
  ['no relay', { relays: [] }],
  ['a relay that is no URL', { relays: 'not a url' }],
  ['no credential', { credential: undefined }],
  ['no keyspace at all', { keyspaces: [] }],
] as const)('%s can not be meant', (_, options) => {
  expect(() =>
    createVerifier({ relays: plane.server.url, credential: credential.secret, ...options }),
  ).toThrow(TypeError);
});

it('is closed for good: nothing is valid any more, and closing twice is no error', async () => {
  const verifier = verifierOf();
  await verifier.ready;
  expect(verifier.verify(key.secret).code).toBe('valid');
  const closed = new Promise((resolve) => verifier.on('closed', resolve));
  await verifier.close();
  await closed;
  await verifier.close();
  expect(verifier.state).toBe('closed');
  expect((await verifier.verifyFresh(mintKeyString('usual', randomBytes))).valid).not.toBe(true);
});

it('close leaves nothing open: a process that has done its work ends by itself', async () => {
  const program = `
    import { createVerifier } from '@keyswarm/verifier';
    const verifier = createVerifier({ relays: process.env.RELAY, credential: process.env.CREDENTIAL });
    await verifier.ready;
    console.log(verifier.verify(process.env.KEY).code);
    await verifier.close();
  `;
  const env = { ...process.env, RELAY: plane.server.url, CREDENTIAL: credential.secret, KEY: key.secret };
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: here,
    env,
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  const printed: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect([code, printed.join('').trim()]).toEqual([0, 'valid']);
});

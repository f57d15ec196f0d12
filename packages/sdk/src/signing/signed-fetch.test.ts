import { createHmac, createPublicKey, hash, hkdfSync, verify } from 'node:crypto';
import { signedRequestProfile } from '@keyswarm/core';
import { fieldsOfPairs, isRefused, readContentDigest, readSignature } from '@keyswarm/http-signatures';
import { describe, expect, it } from 'vitest';
import { ManualRuntime } from '../testing/manual-runtime.ts';
import { ScriptedServer, type SeenRequest } from '../testing/scripted-server.ts';
import { ed25519Signer, generateSigningKey, macSigner } from './request-signer.ts';
import { signRequest } from './sign-request.ts';
import { createSignedFetch } from './signed-fetch.ts';

const keyId = 'key_01kq0000000000000000000000.1';
const ok = { status: 200, json: {} };

/** As whoever is at the other end reads it. */
function read(seen: SeenRequest | undefined, base: string) {
  if (seen === undefined) throw new Error('no request');
  const pairs = Object.entries(seen.headers).map(([name, value]) => [name, String(value)] as const);
  const message = { method: seen.method ?? '', url: base + seen.url, fields: fieldsOfPairs(pairs) };
  const result = readSignature(message, signedRequestProfile, seen.body !== '');
  if (isRefused(result)) throw new Error(result.detail);
  return { ...result, fields: message.fields };
}

describe('signed fetch', () => {
  it('sends what anybody with the public key can verify, content and all', async () => {
    const { publicKey, privateKey } = await generateSigningKey();
    const signer = await ed25519Signer(keyId, privateKey);
    await using server = new ScriptedServer([ok]);
    const base = await server.start();
    const send = createSignedFetch({ signer });
    await send(`${base}/a/%7e?b=c d#fragment`, { method: 'POST', body: '{"ä":1}' });
    const seen = read(server.seen[0], base);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    expect(verify(null, Buffer.from(seen.base), key, seen.signature)).toBe(true);
    expect(seen).toMatchObject({ keyId, coversDigest: true });
    const [digest] = readContentDigest(seen.fields);
    expect(Buffer.from(digest?.bytes ?? [])).toEqual(hash('sha256', '{"ä":1}', 'buffer'));
  });

  it('signs with the secret derived from a key string, and sends the key string nowhere', async () => {
    const signer = await macSigner(keyId, 'orders_live_abc');
    await using server = new ScriptedServer([ok]);
    const base = await server.start();
    await createSignedFetch({ signer })(new Request(`${base}/x`, { headers: { 'x-a': 'b' } }));
    const seen = read(server.seen[0], base);
    const derived = Buffer.from(hkdfSync('sha256', 'orders_live_abc', '', 'keyswarm/request-mac/1', 32));
    expect(Buffer.from(seen.signature)).toEqual(createHmac('sha256', derived).update(seen.base).digest());
    expect(seen.coversDigest).toBe(false);
    expect(server.seen[0]?.headers).toMatchObject({ 'x-a': 'b' });
    expect(JSON.stringify(server.seen[0])).not.toContain('orders_live_abc');
  });

  it('makes a new signature for each sending, and follows no redirect', async () => {
    const signer = await macSigner(keyId, 'orders_live_abc');
    await using server = new ScriptedServer([ok, ok, { status: 302, headers: { location: '/b' } }]);
    const base = await server.start();
    const send = createSignedFetch({ signer });
    await send(base);
    await send(base);
    expect(read(server.seen[0], base).nonce).not.toBe(read(server.seen[1], base).nonce);
    await expect(send(base)).rejects.toThrow();
    expect(server.seen.length).toBe(3);
  });

  it('shows neither key in a signer', async () => {
    const signer = await macSigner(keyId, 'orders_live_abc');
    const { inspect } = await import('node:util');
    expect(inspect(signer, { depth: 9, showHidden: true })).not.toContain('abc');
    expect(JSON.stringify(signer)).toBe(JSON.stringify({ keyId }));
  });

  it.each(['key_01kq', 'orders_live_abc', 'key_01kq.0', 'key_01kq.1"', ''])(
    'takes no keyId like %s',
    async (text) => {
      await expect(macSigner(text, 'x')).rejects.toThrow('keyId');
    },
  );

  it.each([0, 61, 1.5, Number.NaN])('signs for no %s seconds', async (lifetimeSeconds) => {
    const signer = await macSigner(keyId, 'x');
    const runtime = new ManualRuntime();
    const request = { method: 'GET', url: 'https://a.example/' };
    await expect(signRequest(request, signer, { lifetimeSeconds, runtime })).rejects.toThrow(
      'lifetimeSeconds',
    );
  });

  it('takes no key of another kind', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    await expect(ed25519Signer(keyId, pair.privateKey)).rejects.toThrow('Ed25519');
  });
});

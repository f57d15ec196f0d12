import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Fault, type KeyId, Secret, type WorkspaceId } from '@keyswarm/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configWith } from '../config/load-config.ts';
import { systemRandom } from '../runtime/random.ts';
import { canonicalJson } from './canonical-json.ts';
import { IdempotencyScope, type IdempotentRequest } from './idempotency.ts';
import { loadMasterKey } from './load-master-key.ts';
import { MasterKey, parseMasterKey } from './master-key.ts';
import { decodeReply, encodeReply } from './reply-codec.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keyswarm-signing-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('master key', () => {
  const bytes = new Uint8Array(32).map((_, at) => at * 7);

  test('is read from hex, base64 and base64url, and from nothing of another length', () => {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(parseMasterKey(`${Buffer.from(bytes).toString(encoding)}\n`)).toEqual(bytes);
    }
    expect(parseMasterKey(Buffer.from(bytes.subarray(1)).toString('hex'))).toBeUndefined();
    expect(parseMasterKey(Buffer.alloc(33).toString('base64'))).toBeUndefined();
    expect(parseMasterKey('')).toBeUndefined();
  });

  test('a generated one is stable over restarts, readable by its owner alone, and leaves nothing behind', () => {
    const config = configWith({ dataDir: join(directory, 'data') });
    const first = loadMasterKey(config, systemRandom).subkey('x');
    expect(hexOf(loadMasterKey(config, systemRandom).subkey('x'))).toBe(hexOf(first));
    expect(readdirSync(config.dataDir)).toEqual(['master.key']);
    expect(statSync(join(config.dataDir, 'master.key')).mode & 0o777).toBe(0o600);
  });

  test('a damaged one stops the start and is not replaced', () => {
    writeFileSync(join(directory, 'master.key'), 'half');
    expect(() => loadMasterKey(configWith({ dataDir: directory }), systemRandom)).toThrow('32 bytes');
    expect(readFileSync(join(directory, 'master.key'), 'utf8')).toBe('half');
  });

  test('is required where several servers may share a store', () => {
    const config = configWith({ databaseUrl: 'postgres://localhost/k' });
    expect(() => loadMasterKey(config, systemRandom)).toThrow('KEYSWARM_MASTER_KEY');
  });

  test('subkeys differ by purpose and by how their context is cut', () => {
    const key = new MasterKey(bytes);
    const all = [key.subkey('a'), key.subkey('b'), key.subkey('a', ['bc']), key.subkey('a', ['b', 'c'])];
    expect(new Set(all.map(hexOf)).size).toBe(4);
    expect(inspect(key, { depth: 9, showHidden: true })).not.toContain(hexOf(bytes).slice(8, 16));
  });
});

describe('replies kept for replay', () => {
  const request: IdempotentRequest = {
    workspaceId: 'ws_1' as WorkspaceId,
    callerId: 'key_1' as KeyId,
    idempotencyKey: 'retry-1',
    method: 'POST',
    path: '/v1/keys',
    body: { a: 1, b: [2, { d: 3, c: 4 }] },
  };
  const master = new MasterKey(new Uint8Array(32).fill(1));
  const scopeOf = (changes: Partial<IdempotentRequest> = {}, key = master) =>
    new IdempotencyScope({ ...request, ...changes }, key, systemRandom);
  const at = { epoch: 1, shard: 3, seq: 77 };
  const reply = { secret: new Secret('orders_live_topsecret'), fingerprint: new Uint8Array([1, 2, 255]) };

  test('open again for the same request, with the secret', () => {
    const sealed = scopeOf().ticket<typeof reply>('').seal({ reply, at });
    const kept = scopeOf().ticket<typeof reply>('').open(sealed);
    const opened = kept.reply;
    expect(kept.at).toEqual(at);
    expect(opened.secret.reveal()).toBe('orders_live_topsecret');
    expect(opened.fingerprint).toEqual(reply.fingerprint);
    expect(Buffer.from(sealed).includes('topsecret')).toBe(false);
  });

  test.each([
    ['another master key', scopeOf({}, new MasterKey(new Uint8Array(32).fill(2)))],
    ['another Idempotency-Key', scopeOf({ idempotencyKey: 'retry-2' })],
    ['another caller', scopeOf({ callerId: 'key_2' as KeyId })],
    ['another body', scopeOf({ body: {} })],
  ])('do not open with %s', (_, other) => {
    const sealed = scopeOf().ticket('').seal({ reply, at });
    expect(() => other.ticket('').open(sealed)).toThrow(Fault);
  });

  test('do not open when one byte has changed', () => {
    const ticket = scopeOf().ticket('');
    const sealed = ticket.seal({ reply, at });
    for (const at of [0, 5, 20, sealed.length - 1]) {
      const changed = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ 1 : byte));
      expect(() => ticket.open(changed)).toThrow(Fault);
    }
    expect(() => ticket.open(sealed.subarray(0, 10))).toThrow(Fault);
  });

  test('the order of members does not make another request; everything else does', () => {
    const hashOf = (changes: Partial<IdempotentRequest>) => hexOf(scopeOf(changes).ticket('').requestHash);
    expect(hashOf({ body: { b: [2, { c: 4, d: 3 }], a: 1 } })).toBe(hashOf({}));
    const others = [{ body: { a: 2 } }, { path: '/v1/keys/bulk' }, { method: 'PATCH' }, { body: undefined }];
    for (const other of others) expect(hashOf(other)).not.toBe(hashOf({}));
  });

  test('the same Idempotency-Key of another caller, or for another part of the request, is another key', () => {
    const hashes = [
      scopeOf().ticket('').keyHash,
      scopeOf().ticket('shard 3').keyHash,
      scopeOf({ callerId: 'key_2' as KeyId }).ticket('').keyHash,
      scopeOf({ workspaceId: 'ws_2' as WorkspaceId }).ticket('').keyHash,
    ];
    expect(new Set(hashes.map(hexOf)).size).toBe(4);
  });

  test('what a caller wrote is never read as a secret or as bytes', () => {
    const metadata = JSON.parse('{"$secret":"x","$bytes":"y","$$secret":"z","__proto__":"p"}') as object;
    const decoded = decodeReply(encodeReply({ metadata, list: [null, true, 1.5] })) as { metadata: object };
    expect(Object.entries(decoded.metadata)).toEqual(Object.entries(metadata));
    expect(decoded).toMatchObject({ list: [null, true, 1.5] });
  });

  test('canonical JSON sorts members at every depth and keeps the order of lists', () => {
    expect(canonicalJson({ b: [{ z: 1, a: null }], a: 'é"' })).toBe('{"a":"é\\"","b":[{"a":null,"z":1}]}');
  });
});

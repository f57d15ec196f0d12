import {
  Fault,
  type FeedPosition,
  type FeedRow,
  idFromUuidBytes,
  type KeyRecord,
  type KeyspaceRecord,
  type OwnerRecord,
  refusalCodes,
  Secret,
  type ValidVerdict,
} from '@keyswarm/core';
import { Ajv } from 'ajv';
import addFormatsModule from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { type OperationId, operations, type ReplyOf } from '../index.ts';
import { effectiveView } from './effective-view.ts';
import { eventView } from './event-view.ts';
import {
  createdWorkspaceView,
  keyspaceView,
  ownerView,
  resumedKeyspaceView,
  resumedOwnerView,
  revokedOwnerKeysView,
  suspendedKeyspaceView,
  suspendedOwnerView,
} from './house-views.ts';
import {
  finishedRotationView,
  importedKeyView,
  issuedKeyView,
  keyView,
  resumedKeyView,
  revokedKeyView,
  rotatedKeyView,
  suspendedKeyView,
} from './key-views.ts';
import { placedView } from './placed-view.ts';
import { rotationView } from './rotation-view.ts';
import { answerItemView, answerView, refusedItemView, verdictView } from './verdict-view.ts';

const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default;
const ajv = new Ajv({ strict: true }).addVocabulary(['x-secret', 'x-parameter', 'x-expected']);
addFormats(ajv);

/** What the view made is what the operation promises, and nothing is lost on the way through JSON. */
function fits<Id extends OperationId>(id: Id, view: ReplyOf<Id>): ReplyOf<Id> {
  const onTheWire = JSON.parse(JSON.stringify(view));
  ajv.validate(operations[id].response.schema, onTheWire);
  expect(ajv.errors, id).toBeNull();
  expect(onTheWire).toEqual(view);
  return view;
}

const nowMs = Date.UTC(2030, 0, 1);
const hourMs = 3_600_000;
const bytes = (fill: number) => new Uint8Array(16).fill(fill);
const keyId = idFromUuidBytes('key', bytes(1));
const workspaceId = idFromUuidBytes('ws', bytes(2));
const keyspaceId = idFromUuidBytes('ks', bytes(3));
const ownerId = idFromUuidBytes('own', bytes(4));
const fingerprint = new Uint8Array(32).fill(0xab);

const key: KeyRecord = {
  id: keyId,
  workspaceId,
  keyspaceId,
  ownerId,
  name: 'billing prod',
  scopes: ['orders:read'],
  metadata: { team: 'a' },
  state: 'active',
  notBeforeMs: null,
  expiresAtMs: nowMs + hourMs,
  createdAtMs: nowMs - hourMs,
  revokedAtMs: null,
  revokeReason: null,
  traits: {},
  revision: 2,
  versions: [
    { number: 1, fingerprint, state: 'grace', mintedAtMs: nowMs - hourMs, retiresAtMs: nowMs + 1000 },
    { number: 2, fingerprint, state: 'active', mintedAtMs: nowMs, retiresAtMs: null },
  ],
};
const owner: OwnerRecord = {
  id: ownerId,
  workspaceId,
  kind: 'service',
  externalId: 'billing',
  state: 'active',
  keysNotBeforeMs: null,
  createdAtMs: nowMs,
  revision: 1,
};
const keyspace: KeyspaceRecord = {
  id: keyspaceId,
  workspaceId,
  name: 'orders-live',
  prefix: 'orders_live',
  format: 'opaque',
  allowedScopes: ['orders:*'],
  defaultTtlSeconds: null,
  maxTtlSeconds: 7_776_000,
  maxGraceSeconds: 600,
  leaseSeconds: 30,
  formerLeaseUntilMs: null,
  proof: 'bearer',
  rotation: { rotateAfterSeconds: 86_400, settleSeconds: null, inUseWindowSeconds: 300 },
  approval: { scopes: ['orders:write'] },
  token: { algorithm: 'ecdsa-p256-sha256', derivedTtlSeconds: 60 },
  state: 'active',
  keysNotBeforeMs: null,
  createdAtMs: nowMs,
  revision: 1,
};
const at: FeedPosition = { epoch: 1, shard: 3, seq: 77 };
const valid: ValidVerdict = {
  valid: true,
  code: 'valid',
  keyId,
  version: 1,
  owner: { id: ownerId, kind: 'service', externalId: 'billing' },
  workspaceId,
  keyspaceId,
  keyspace: 'orders-live',
  scopes: ['orders:read'],
  expiresAtMs: null,
  rotation: null,
  renewAfterMs: null,
};

describe('the view of a wait', () => {
  it('names who lags, and the age of a lease where there is one', () => {
    const laggards = [
      { id: 'a', name: 'eu', leaseAgeMs: 12.6 },
      { id: 'b', name: 'us', leaseAgeMs: null },
    ];
    const effective = effectiveView({ atMs: nowMs, verifiers: 3, laggards });
    const revoked = revokedKeyView({ ...key, state: 'revoked', revokedAtMs: nowMs }, nowMs);
    expect(fits('revokeKey', { ...placedView(revoked, at), effective }).effective).toEqual({
      at: '2030-01-01T00:00:00.000Z',
      verifiers: 3,
      laggards: [
        { id: 'a', name: 'eu', lease_age_ms: 13 },
        { id: 'b', name: 'us' },
      ],
    });
  });
});

const nobody: ReadonlySet<string> = new Set();

describe('views of a key', () => {
  it('fit what the operations promise', () => {
    const secret = new Secret('orders_live_abc');
    const view = fits('getKey', keyView(key, nowMs, nobody));
    expect(view.expires_at).toBe('2030-01-01T01:00:00.000Z');
    expect(fits('issueKey', placedView(issuedKeyView(key, secret), at)).secret).toBe('orders_live_abc');
    fits('importKeys', { results: [placedView(importedKeyView(key), at)] });
    fits('issueKeysBulk', { results: [placedView(issuedKeyView(key, secret), at)] });
    fits('finishRotation', placedView(finishedRotationView(key, nowMs), at));
    const shown = key.versions.map((version) => ({ ...version, firstUsedMs: nowMs, lastUsedMs: null }));
    const [current, previous] = shown.toReversed();
    if (current === undefined) throw new Error('a key has a version');
    const lineage = shown;
    const refusal = { code: 'version_in_use', detail: 'in use' };
    fits('getRotation', rotationView({ key, current, previous, refusal, lineage, nextBefore: 1 }, nowMs));
    const none = { previous: undefined, refusal: undefined, lineage: [], nextBefore: null };
    fits('getRotation', rotationView({ key, current: { ...current, firstUsedMs: null }, ...none }, nowMs));
    const dead = { ...key, state: 'revoked', revokedAtMs: nowMs } as const;
    const over = rotationView({ key: dead, current, ...none }, nowMs);
    expect(fits('getRotation', over).key_state).toBe('revoked');
    fits('suspendKey', placedView(suspendedKeyView({ ...key, state: 'suspended' }, nowMs), at));
    fits('resumeKey', placedView(resumedKeyView(key, nowMs), at));
    const revoked = fits(
      'revokeKey',
      placedView(revokedKeyView({ ...key, state: 'revoked', revokedAtMs: nowMs }, nowMs + 30_300), at),
    );
    expect(revoked.effective_by).toBe('2030-01-01T00:00:30.300Z');
  });

  it('tell the state as of the clock: an expired key, and a grace that has run out', () => {
    expect(keyView(key, nowMs, nobody).state).toBe('active');
    expect(keyView(key, nowMs + hourMs, nobody).state).toBe('expired');
    expect(keyView({ ...key, notBeforeMs: nowMs + 1 }, nowMs, nobody).state).toBe('pending');
    expect(keyView(key, nowMs + 999, nobody).versions[0]?.state).toBe('grace');
    expect(keyView(key, nowMs + 1000, nobody).versions[0]?.state).toBe('retired');
  });

  it('say that an active key is refused for its owner or keyspace, and nothing of one that is refused anyway', () => {
    const owner = new Set<string>([key.ownerId]);
    expect(fits('getKey', keyView(key, nowMs, owner)).refused_because).toBe('owner_suspended');
    const both = new Set<string>([key.ownerId, key.keyspaceId]);
    expect(fits('getKey', keyView(key, nowMs, both)).refused_because).toBe('keyspace_suspended');
    expect(keyView(key, nowMs, nobody)).not.toHaveProperty('refused_because');
    expect(keyView(key, nowMs + hourMs, owner)).not.toHaveProperty('refused_because');
  });

  it('promise the end of a rotated version no sooner than its grace, nor than every verifier knows', () => {
    const secret = new Secret('s');
    const early = fits('rotateKey', placedView(rotatedKeyView(key, secret, nowMs + 500), at)).previous;
    expect(early.effective_by).toBe('2030-01-01T00:00:01.000Z');
    const late = fits('rotateKey', placedView(rotatedKeyView(key, secret, nowMs + 30_300), at)).previous;
    expect(late.retires_at).toBe('2030-01-01T00:00:01.000Z');
    expect(late.effective_by).toBe('2030-01-01T00:00:30.300Z');
  });

  it('never show a fingerprint, and a secret only where one is issued', () => {
    const hex = Buffer.from(fingerprint).toString('hex').slice(0, 8);
    for (const view of [
      keyView(key, nowMs, nobody),
      importedKeyView(key),
      finishedRotationView(key, nowMs),
    ]) {
      const text = JSON.stringify(view);
      expect(text).not.toContain(hex);
      expect(text).not.toContain('171,171');
      expect(view).not.toHaveProperty('secret');
    }
  });

  it('are not made of a key in another state', () => {
    expect(() => revokedKeyView(key, nowMs)).toThrow('a revoked key says when');
    expect(() => suspendedKeyView(key, nowMs)).toThrow();
  });
});

describe('views of the house', () => {
  it('fit what the operations promise', () => {
    fits('getKeyspace', keyspaceView(keyspace));
    fits(
      'suspendKeyspace',
      placedView(suspendedKeyspaceView({ ...keyspace, state: 'suspended' }, nowMs), at),
    );
    fits('resumeKeyspace', placedView(resumedKeyspaceView(keyspace), at));
    fits('getOwner', ownerView(owner));
    fits('suspendOwner', placedView(suspendedOwnerView({ ...owner, state: 'suspended' }, nowMs), at));
    fits('resumeOwner', placedView(resumedOwnerView(owner), at));
    fits(
      'revokeOwnerKeys',
      placedView(revokedOwnerKeysView({ ...owner, keysNotBeforeMs: nowMs }, nowMs), at),
    );
    fits(
      'createWorkspace',
      placedView(
        createdWorkspaceView({ id: workspaceId, name: 'a' }, { id: keyId, secret: new Secret('s') }),
        at,
      ),
    );
  });
});

describe('views of a verdict', () => {
  it('fit, with and without the hint of a rotation', () => {
    expect(fits('verifyKey', verdictView(valid))).not.toHaveProperty('rotation');
    const rotating = verdictView({ ...valid, rotation: { state: 'grace', retiresAtMs: nowMs } });
    expect(fits('verifyKey', rotating)).toHaveProperty('rotation.retires_at', '2030-01-01T00:00:00.000Z');
  });

  it.each(refusalCodes)('say of a refusal %s and nothing else', (code) => {
    const loose = { ...valid, valid: false, code } as const;
    expect(fits('verifyKey', verdictView(loose))).toEqual({ valid: false, code });
  });

  it('are never made of a stale answer: the call fails with stale, an item of a bulk says so', () => {
    const stale = { valid: null, code: 'stale' } as const;
    expect(() => answerView(stale, 250)).toThrow(
      expect.objectContaining({ code: 'stale', retryAfterMs: 250 }),
    );
    const items = fits('verifyKeysBulk', { results: [answerItemView(stale), answerItemView(valid)] }).results;
    expect(items[0]).toEqual({ error: { code: 'stale', detail: expect.any(String) } });
  });

  it('of a refused item name code, detail and field, never the cause', () => {
    const fault = new Fault('scope_not_allowed', {
      detail: 'No.',
      field: '/keys/3/scopes/0',
      cause: new Error('inside'),
    });
    expect(fits('issueKeysBulk', { results: [refusedItemView(fault)] }).results[0]).toEqual({
      error: { code: 'scope_not_allowed', detail: 'No.', field: '/keys/3/scopes/0' },
    });
  });
});

describe('an event', () => {
  it('is a CloudEvent 1.0 whose id is its place in the feed', () => {
    const row: FeedRow = {
      epoch: 1,
      shard: 3,
      seq: 42,
      type: 'key.issued',
      atMs: nowMs,
      workspaceId,
      subject: keyId,
      key: null,
      owner: null,
      keyspace: null,
      data: { version: 1 },
    };
    const view = eventView(row);
    fits('listEvents', { items: [view], next_cursor: 'AWUB' });
    expect(view).toEqual({
      specversion: '1.0',
      id: '1-3-42',
      source: `/v1/workspaces/${workspaceId}`,
      type: 'dev.keyswarm.key.issued',
      subject: keyId,
      time: '2030-01-01T00:00:00.000Z',
      datacontenttype: 'application/json',
      data: { version: 1 },
    });
  });
});

import { idFromUuidBytes, type ValidVerdict } from '@keyswarm/core';
import { expect, it } from 'vitest';
import { keyHeaders } from './forward-auth-reply.ts';

const bytes = new Uint8Array(16).fill(1);
const verdict: ValidVerdict = {
  valid: true,
  code: 'valid',
  keyId: idFromUuidBytes('key', bytes),
  version: 2,
  owner: { id: idFromUuidBytes('own', bytes), kind: 'service', externalId: 'billing' },
  workspaceId: idFromUuidBytes('ws', bytes),
  keyspaceId: idFromUuidBytes('ks', bytes),
  keyspace: 'orders',
  scopes: [],
  expiresAtMs: null,
  rotation: null,
  renewAfterMs: null,
};

it('says when a version ends and when a key is to be renewed, and neither where there is nothing to say', () => {
  const quiet = Object.keys(keyHeaders(verdict));
  expect(quiet).not.toContain('x-keyswarm-retires-at');
  expect(quiet).not.toContain('x-keyswarm-renew-after');
  expect(
    keyHeaders({
      ...verdict,
      rotation: { state: 'grace', retiresAtMs: 1_800_000_000_000 },
      renewAfterMs: 1_800_000_001_000,
    }),
  ).toMatchObject({
    'x-keyswarm-retires-at': '2027-01-15T08:00:00.000Z',
    'x-keyswarm-renew-after': '2027-01-15T08:00:01.000Z',
  });
});

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintKeyString } from '@keyswarm/core';
import { type Api, apiOf, inParallel, issuedOf, type Reply, resultsOf } from '../../acceptance/api.ts';
import { BenchError } from './bench-error.ts';
import type { Target } from './target.ts';
import type { VerifyKey } from './workload.ts';

export interface Population {
  readonly keyspaceId: string;
  readonly keyspace: string;
  readonly good: readonly VerifyKey[];
  readonly bad: readonly VerifyKey[];
}

const prefix = 'bench';
const bulkKeys = 1000;
/** Of each way to be refused. */
const badOfEach = 50;
/** Past the end of the life of the keys that shall have expired. */
const expiredAfterMs = 1_500;

/** So many valid keys, a few of each other sort that there is, and which verdict each has to get. */
export async function populate(target: Target, keys: number): Promise<Population> {
  const api = apiOf(target, target.managementKey);
  const keyspace = `bench-${randomBytes(4).toString('hex')}`;
  const keyspaceId = await createKeyspace(api, keyspace);
  const issue = (count: number, ttlSeconds: number) => issueMany(api, { keyspace, count, ttlSeconds });
  const expired = await issue(badOfEach, 1);
  const good = await issue(keys, 86_400);
  const revoked = await issue(badOfEach, 86_400);
  await inParallel(revoked, 8, async ({ id }) => {
    const reply = await api.call('POST', `/v1/keys/${id}/revoke`, { reason: 'bench' });
    expectDone(reply, 200, 'revoke a key');
  });
  await sleep(expiredAfterMs);
  const forged = Array.from({ length: badOfEach }, () => mintKeyString(prefix, randomBytes));
  return {
    keyspaceId,
    keyspace,
    good: good.map(({ secret }) => ({ secret, code: 'valid' })),
    bad: [
      ...expired.map(({ secret }) => ({ secret, code: 'expired' })),
      ...revoked.map(({ secret }) => ({ secret, code: 'revoked' })),
      ...forged.map((secret) => ({ secret, code: 'unknown' })),
      { secret: `${prefix}_${'0'.repeat(34)}`, code: 'malformed' },
    ],
  };
}

/** Ids of keys that nobody has rotated or revoked. */
export async function issuePool(
  target: Target,
  { keyspace }: Population,
  count: number,
): Promise<readonly string[]> {
  const api = apiOf(target, target.managementKey);
  return (await issueMany(api, { keyspace, count, ttlSeconds: 86_400 })).map(({ id }) => id);
}

/** Ends whatever was made on a server that goes on running. */
export async function revokePopulation(target: Target, { keyspaceId }: Population): Promise<void> {
  const api = apiOf(target, target.managementKey);
  const reply = await api.call('POST', `/v1/keyspaces/${keyspaceId}/revoke-keys`, {});
  expectDone(reply, 200, "revoke the bench's keys");
}

async function createKeyspace(api: Api, name: string): Promise<string> {
  const asked = { name, prefix, format: 'opaque', allowed_scopes: ['orders:*'] };
  const reply = await api.call('POST', '/v1/keyspaces', asked);
  expectDone(reply, 201, 'create a keyspace');
  return String(reply.body.id);
}

async function issueMany(
  api: Api,
  asked: { readonly keyspace: string; readonly count: number; readonly ttlSeconds: number },
) {
  const issued: { readonly id: string; readonly secret: string }[] = [];
  while (issued.length < asked.count) {
    const terms = {
      keyspace: asked.keyspace,
      owner: { kind: 'service', external_id: `bench-${issued.length % 7}` },
      scopes: ['orders:read'],
      ttl_seconds: asked.ttlSeconds,
    };
    const keys = Array.from({ length: Math.min(bulkKeys, asked.count - issued.length) }, () => terms);
    const reply = await api.call('POST', '/v1/keys/bulk', { keys });
    expectDone(reply, 200, 'issue keys in bulk');
    issued.push(...resultsOf(reply).map(issuedOf));
  }
  return issued;
}

function expectDone({ status, body }: Reply, wanted: number, what: string): void {
  if (status === wanted) return;
  const code = typeof body.code === 'string' ? ` ${body.code}` : '';
  const hint =
    status === 401 || status === 403
      ? '; the management key needs keyspaces:write, keys:issue, keys:rotate, keys:revoke and keys:verify'
      : '';
  throw new BenchError(`the server refuses to ${what}: ${status}${code}${hint}`);
}

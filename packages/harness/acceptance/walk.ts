import { type Api, type IssuedKey, inParallel, issuedOf, resultsOf, verdictsOf } from './api.ts';

/*
 * The first way through, as the README tells it, with its claims checked: a keyspace, keys in bulk, every one
 * verified, some rotated, some revoked, an owner suspended. Each step returns one line of evidence or throws.
 */

export interface WalkSizes {
  readonly keys: number;
  readonly rotated: number;
  readonly revoked: number;
}

export interface Evidence {
  readonly step: string;
  readonly found: string;
  readonly tookMs: number;
}

const bulkKeys = 1000;
const concurrency = 16;

export async function walk(api: Api, sizes: WalkSizes, report: (evidence: Evidence) => void): Promise<void> {
  const keyspace = `walk-${process.pid}-${Math.floor(performance.now())}`;
  const step = async <T>(name: string, work: () => Promise<[string, T]>): Promise<T> => {
    const began = performance.now();
    const [found, value] = await work();
    report({ step: name, found, tookMs: performance.now() - began });
    return value;
  };

  await step('create a keyspace', async () => {
    const reply = await api.call('POST', '/v1/keyspaces', {
      name: keyspace,
      prefix: 'walk',
      format: 'opaque',
      allowed_scopes: ['orders:*'],
    });
    expectStatus(reply.status, 201, reply.body);
    return [String(reply.body.id), undefined];
  });
  const keys = await step(`issue ${sizes.keys} keys in bulk`, () => issueMany(api, keyspace, sizes.keys));
  await step('verify every one', async () => {
    await expectCodes(api, keyspace, secretsOf(keys), 'valid');
    return [`${keys.length} valid`, undefined];
  });
  const rotated = keys.slice(0, sizes.rotated);
  const fresh = await step(`rotate ${sizes.rotated}`, () => rotateAll(api, keyspace, rotated));
  await step('finish those rotations', async () => {
    await inParallel(rotated, concurrency, async ({ id }) => {
      const reply = await api.call('POST', `/v1/keys/${id}/finish-rotation`, { force: true });
      expectStatus(reply.status, 200, reply.body);
    });
    await expectCodes(api, keyspace, secretsOf(rotated), 'expired');
    await expectCodes(api, keyspace, secretsOf(fresh), 'valid');
    return [`${rotated.length} old secrets refused, ${fresh.length} new ones valid`, undefined];
  });
  await step(`revoke ${sizes.revoked}`, () => revokeAll(api, keyspace, keys.slice(-sizes.revoked)));
  await step('suspend one owner', () => suspendOwner(api, keyspace, keys, sizes));
}

async function issueMany(api: Api, keyspace: string, count: number): Promise<[string, IssuedKey[]]> {
  const keys: IssuedKey[] = [];
  for (let from = 0; from < count; from += bulkKeys) {
    const asked = Array.from({ length: Math.min(bulkKeys, count - from) }, (_, index) => ({
      keyspace,
      owner: { kind: 'service', external_id: `walk-${(from + index) % 10}` },
      name: `key ${from + index}`,
      scopes: ['orders:read'],
      ttl_seconds: 3600,
    }));
    const reply = await api.call('POST', '/v1/keys/bulk', { keys: asked });
    for (const result of resultsOf(reply)) keys.push(issuedOf(result));
  }
  if (new Set(keys.map((key) => key.secret)).size !== count) throw new Error('two keys have the same secret');
  return [`${keys.length} distinct secrets`, keys];
}

async function rotateAll(
  api: Api,
  keyspace: string,
  keys: readonly IssuedKey[],
): Promise<[string, IssuedKey[]]> {
  const fresh: IssuedKey[] = [];
  await inParallel(keys, concurrency, async ({ id }) => {
    const reply = await api.call('POST', `/v1/keys/${id}/rotate`, { grace_seconds: 600 });
    expectStatus(reply.status, 200, reply.body);
    fresh.push(issuedOf(reply.body));
  });
  await expectCodes(api, keyspace, secretsOf(keys), 'valid');
  await expectCodes(api, keyspace, secretsOf(fresh), 'valid');
  return [`in grace ${keys.length} old and ${fresh.length} new secrets are valid`, fresh];
}

async function revokeAll(
  api: Api,
  keyspace: string,
  keys: readonly IssuedKey[],
): Promise<[string, undefined]> {
  let acceptedAfterAck = 0;
  await inParallel(keys, concurrency, async ({ id, secret }) => {
    const reply = await api.call('POST', `/v1/keys/${id}/revoke`, { reason: 'walk' });
    expectStatus(reply.status, 200, reply.body);
    if (typeof reply.body.effective_by !== 'string') throw new Error('the revoke names no effective_by');
    const verdict = await api.call('POST', '/v1/keys/verify', { key: secret, keyspace });
    if (verdict.body.code !== 'revoked') acceptedAfterAck++;
  });
  if (acceptedAfterAck > 0) throw new Error(`${acceptedAfterAck} keys were not refused right after the ack`);
  return [`${keys.length} refused by the first verification after the ack`, undefined];
}

async function suspendOwner(
  api: Api,
  keyspace: string,
  keys: readonly IssuedKey[],
  sizes: WalkSizes,
): Promise<[string, undefined]> {
  const untouched = keys.slice(sizes.rotated, keys.length - sizes.revoked);
  const probe = await api.call('POST', '/v1/keys/verify', { key: untouched[0]?.secret, keyspace });
  const owner = probe.body.owner as { id: string };
  const before = await eventCount(api, owner.id);
  const reply = await api.call('POST', `/v1/owners/${owner.id}/suspend`);
  expectStatus(reply.status, 200, reply.body);
  const codes = await verdictsOf(api, secretsOf(untouched), keyspace);
  const suspended = codes.filter((code) => code === 'suspended').length;
  const valid = codes.filter((code) => code === 'valid').length;
  const events = (await eventCount(api, owner.id)) - before;
  const share = Math.floor(untouched.length / 10);
  if (suspended < share || suspended + valid !== codes.length || events !== 1) {
    throw new Error(`${suspended} suspended, ${valid} valid of ${codes.length}, by ${events} events`);
  }
  await api.call('POST', `/v1/owners/${owner.id}/resume`);
  await expectCodes(api, keyspace, secretsOf(untouched), 'valid');
  return [`${suspended} keys refused by ${events} event, and valid again after resume`, undefined];
}

/** Events whose subject is `subject`. A page may be empty before the end: the end is a cursor that stays where it is. */
async function eventCount(api: Api, subject: string): Promise<number> {
  let count = 0;
  let cursor = '';
  for (;;) {
    const after = cursor === '' ? '' : `&after=${encodeURIComponent(cursor)}`;
    const reply = await api.call('GET', `/v1/events?limit=200&types=owner.suspended${after}`);
    expectStatus(reply.status, 200, reply.body);
    const events = reply.body.items as readonly { subject: string }[];
    count += events.filter((event) => event.subject === subject).length;
    const next = String(reply.body.next_cursor);
    if (next === cursor) return count;
    cursor = next;
  }
}

function secretsOf(keys: readonly IssuedKey[]): readonly string[] {
  return keys.map((key) => key.secret);
}

export async function expectCodes(
  api: Api,
  keyspace: string,
  secrets: readonly string[],
  code: string,
): Promise<void> {
  const others = (await verdictsOf(api, secrets, keyspace)).filter((found) => found !== code);
  if (others.length > 0)
    throw new Error(`expected ${code} for all ${secrets.length}, ${others.length} differ: ${others[0]}`);
}

export function expectStatus(status: number, wanted: number, body: unknown): void {
  if (status !== wanted)
    throw new Error(`expected ${wanted}, got ${status}: ${JSON.stringify(body).slice(0, 300)}`);
}

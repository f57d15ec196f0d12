import { resultsOf } from '../../acceptance/api.ts';
import type { SecretScan } from '../evidence/scan-secrets.ts';
import type { History } from '../history/history.ts';
import { newKey } from '../load/clerk.ts';
import type { BookKey, KeyBook } from '../load/key-book.ts';
import { settlementOf } from '../load/read-reply.ts';
import { keyspaces, type Stage } from '../stage/stage.ts';

export interface Population {
  readonly stage: Stage;
  readonly book: KeyBook;
  readonly history: History;
  readonly secrets: SecretScan;
}

/** Keys that are never changed, and some to change from the start, in each keyspace. */
export async function populate(house: Population, steady = 80, changing = 40): Promise<void> {
  for (const { name } of Object.values(keyspaces)) {
    // Those of one call lie in one shard (decision 5), so it takes many calls to have some in each.
    for (let from = 0; from < steady; from += keysAShard)
      for (const key of await issueMany(house, name, keysAShard)) house.book.addSteady(key);
    for (const key of await issueMany(house, name, changing)) house.book.add(key);
  }
}

export async function createKeyspace(
  stage: Pick<Stage, 'servers'>,
  name: string,
  leaseSeconds: number,
): Promise<void> {
  const reply = await stage.servers[0]?.api.call('POST', '/v1/keyspaces', {
    name,
    prefix: name,
    format: 'opaque',
    allowed_scopes: ['orders:*'],
    lease_seconds: leaseSeconds,
  });
  if (reply?.status !== 201) throw new Error(`keyspace ${name}: ${JSON.stringify(reply?.body)}`);
}

/** In bulk, as many a call as may be; each of them is an operation of the history. */
export async function issueMany(
  house: Population,
  keyspace: string,
  count: number,
): Promise<readonly BookKey[]> {
  const keys: BookKey[] = [];
  for (let from = 0; from < count; from += keysACall)
    keys.push(...(await issueSome(house, keyspace, Math.min(keysACall, count - from))));
  return keys;
}

const keysACall = 1_000;
const keysAShard = 4;

async function issueSome(house: Population, keyspace: string, count: number): Promise<readonly BookKey[]> {
  const { stage, book, history, secrets } = house;
  const server = stage.servers[0];
  if (server === undefined) throw new Error('there is no server');
  const numbers = Array.from({ length: count }, () => book.nextNumber());
  const opened = numbers.map((key) => history.invoke({ kind: 'issue', key, keyspace, at: server.name }));
  const reply = await server.api.call('POST', '/v1/keys/bulk', {
    keys: numbers.map((number) => ({
      keyspace,
      owner: { kind: 'service', external_id: `chaos-${number % 7}` },
      name: `chaos ${number}`,
      scopes: ['orders:read'],
      ttl_seconds: 86_400,
    })),
  });
  return resultsOf(reply).map((result, at) => {
    const body = result as Readonly<Record<string, unknown>>;
    const number = numbers[at] ?? 0;
    history.settle(opened[at] ?? -1, settlementOf({ status: 200, body }));
    secrets.add(String(body.secret), `key ${number}`);
    const { id, secret, seq, expires_at } = body;
    return newKey({ number, keyspace, id, secret, seq, expires_at });
  });
}

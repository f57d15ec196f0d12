import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { issuedOf, type Reply, verdictsOf } from '../acceptance/api.ts';
import { expectStatus } from '../acceptance/walk.ts';
import { type House, keyspaceName, untilTaken } from './house.ts';

/**
 * So many machines that boot at once exchange one enrollment key, each on a connection of its own: as many get a key
 * as it has uses, every other one is told that it is used up, and nobody gets the key of another.
 */
export async function enrollmentStorm(
  { api, server }: House,
  { exchanges, uses }: { readonly exchanges: number; readonly uses: number },
): Promise<string> {
  const made = await api.call('POST', '/v1/enrollments', {
    keyspace: keyspaceName,
    name: 'boot',
    uses,
    ttl_seconds: 3600,
    key_ttl_seconds: 3600,
    owner_rule: { kinds: ['service'], external_id_prefix: 'machine-' },
    scopes: ['orders:read'],
  });
  expectStatus(made.status, 201, made.body);
  const enrollment = issuedOf(made.body);
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const began = performance.now();
  let asked = 0;
  const replies = await Promise.all(
    Array.from({ length: exchanges }, (_, machine) => {
      const key = randomUUID();
      return untilTaken(() => {
        asked += 1;
        return exchange(agent, { url: server.url, secret: enrollment.secret, machine, key });
      });
    }),
  );
  const tookMs = performance.now() - began;
  agent.destroy();
  const counts = new Map<string, number>();
  for (const { status, body } of replies) {
    const code = status === 201 ? 'issued' : String(body.code);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  const expected = Math.min(uses, exchanges);
  const issued = replies.filter(({ status }) => status === 201).map(({ body }) => issuedOf(body));
  if (issued.length !== expected || (counts.get('enrollment_used_up') ?? 0) !== exchanges - expected)
    throw new Error(`exchanges: ${JSON.stringify(Object.fromEntries(counts))}`);
  if (new Set(issued.map(({ secret }) => secret)).size !== expected)
    throw new Error('a secret was given twice');
  const codes = await verdictsOf(
    api,
    issued.map(({ secret }) => secret),
    keyspaceName,
  );
  if (codes.some((code) => code !== 'valid')) throw new Error('a key that was exchanged for is not valid');
  const [own] = await verdictsOf(api, [enrollment.secret], keyspaceName);
  if (own === 'valid') throw new Error('an enrollment key was accepted as a key');
  return `${exchanges} exchanges at once of a key with ${uses} uses: ${expected} issued, all valid, the others used up, in ${(tookMs / 1000).toFixed(1)} s (${asked} requests)`;
}

interface Exchange {
  readonly url: string;
  readonly secret: string;
  readonly machine: number;
  readonly key: string;
}

/** Over Node's plain client, whose agent opens a connection for each; a broken one counts as a 503. */
function exchange(agent: Agent, { url, secret, machine, key }: Exchange): Promise<Reply> {
  const body = JSON.stringify({ owner: { kind: 'service', external_id: `machine-${machine % 500}` } });
  const headers = {
    authorization: `Bearer ${secret}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'idempotency-key': key,
  };
  return new Promise((resolve) => {
    const asked = request(`${url}/v1/keys/enroll`, { agent, method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) });
      });
    });
    asked.on('error', () => resolve({ status: 503, body: {} }));
    asked.end(body);
  });
}

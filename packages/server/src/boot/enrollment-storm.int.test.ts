import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import { enrollment } from './suite/enrollment.conformance.ts';
import { makeKeyspace, verdictOf } from './suite/fixtures.ts';
import { type Reply, startTestServer, type TestServer } from './suite/test-server.ts';

/*
 * A fleet that boots: many exchanges of one enrollment key at once, at two servers that know nothing of each other but
 * the store. STORM_USES and STORM_EXCHANGES make it larger.
 */

const uses = Number(process.env.STORM_USES ?? 200);
const exchanges = Number(process.env.STORM_EXCHANGES ?? 5 * uses);

/** As many as both doors let in at once: what more there are would be turned away and come again. */
const machinesMax = 1_500;

let postgres: Postgres;
let servers: readonly TestServer[];
beforeAll(async () => {
  postgres = await startPostgres();
  const databaseUrl = await postgres.createDatabase();
  const start = (more: object) =>
    startTestServer({
      store: createPostgresStore({ url: databaseUrl }),
      config: { databaseUrl, profile: 'single', ...more },
    });
  const here = await start({});
  servers = [here, await start({ bootstrapKey: here.rootKey })];
}, 60_000);
afterAll(async () => {
  await Promise.all((servers ?? []).map((server) => server.close()));
  await postgres.stop();
});

/** One that is turned away at the door is told when to come again, and comes. */
async function exchange(server: TestServer, key: string, number: number): Promise<Reply> {
  const body = { owner: { kind: 'service', external_id: `node-${number}` } };
  const headers = { 'idempotency-key': `boot-${number}` };
  for (;;) {
    const reply = await server.post('/v1/keys/enroll', body, { key, headers });
    if (reply.status !== 429 && reply.status !== 503) return reply;
    expect(reply.headers.get('retry-after')).not.toBeNull();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('an enrollment key is never over-used, by a storm of exchanges at two servers', async () => {
  const [here, there] = servers;
  if (here === undefined || there === undefined) throw new Error('there are two servers');
  const { name } = await makeKeyspace(here);
  const made = (await enrollment(here, name, { uses })).body;
  const key = String(made.secret);
  const replies: Reply[] = [];
  let next = 0;
  const machine = async () => {
    for (let at = next++; at < exchanges; at = next++) {
      replies[at] = await exchange(at % 2 === 0 ? here : there, key, at);
    }
  };
  await Promise.all(Array.from({ length: machinesMax }, machine));
  const given = replies.filter(({ status }) => status === 201);
  expect(given).toHaveLength(uses);
  expect(new Set(given.map(({ body }) => body.secret)).size).toBe(uses);
  const refusals = new Set(replies.filter(({ status }) => status !== 201).map(({ body }) => body.code));
  expect(refusals).toEqual(new Set(['enrollment_used_up']));
  const shown = (await there.get(`/v1/keys/${made.id}`, { key: here.rootKey })).body;
  expect(shown).toMatchObject({ enrollment: { uses_left: 0, uses } });
  expect(await verdictOf(here, String(given[0]?.body.secret))).toBe('valid');
  // Whoever asks again by the same Idempotency-Key, at the other server, gets the same key, though none is left.
  const at = replies.findIndex(({ status }) => status === 201);
  const again = await exchange(at % 2 === 0 ? there : here, key, at);
  expect(again.text).toBe(replies[at]?.text);
}, 120_000);

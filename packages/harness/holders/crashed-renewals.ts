import { type Api, apiOf, type IssuedKey, inParallel, issuedOf, verdictsOf } from '../acceptance/api.ts';
import { expectStatus } from '../acceptance/walk.ts';
import { type House, untilTaken } from './house.ts';

const keyspace = 'renewing';
/** A renewal without an Idempotency-Key takes the place of one that is at least so old: 15 s, and what a clock may be off. */
const secondAskAfterMs = 16_000;

/**
 * Holders that renew and are killed before they have stored what they got: the secret that they still have works, they
 * renew again with it, and no third version is left behind.
 */
export async function crashedRenewals({ api, server }: House, count: number): Promise<string> {
  const made = await api.call('POST', '/v1/keyspaces', {
    name: keyspace,
    prefix: keyspace,
    allowed_scopes: ['orders:*'],
  });
  expectStatus(made.status, 201, made.body);
  const issued: IssuedKey[] = [];
  await inParallel([...Array(count).keys()], 16, async (at) => {
    const reply = await untilTaken(() =>
      api.call('POST', '/v1/keys', {
        keyspace,
        owner: { kind: 'service', external_id: `renewing-${at}` },
        name: `renewing ${at}`,
        scopes: ['orders:read'],
        ttl_seconds: 3600,
      }),
    );
    expectStatus(reply.status, 201, reply.body);
    issued.push(issuedOf(reply.body));
  });
  await askAll(api, count);
  const lost = new Map<string, string>();
  await inParallel(issued, 16, async (key) => {
    const renewed = await renewWhenItMay(apiOf(server, key.secret));
    lost.set(key.id, issuedOf(renewed).secret);
  });
  const stillHeld = await verdictsOf(
    api,
    issued.map(({ secret }) => secret),
    keyspace,
  );
  if (stillHeld.some((code) => code !== 'valid'))
    throw new Error('a holder that crashed has no key that works');
  await new Promise((resolve) => setTimeout(resolve, secondAskAfterMs));
  await inParallel(issued, 16, async (key) => {
    const renewed = await renewWhenItMay(apiOf(server, key.secret));
    const { secret } = issuedOf(renewed);
    const codes: string[] = [];
    for (const held of [key.secret, secret, lost.get(key.id) ?? ''])
      codes.push(await codeSince(api, held, seqOf(renewed)));
    if (codes[0] !== 'valid' || codes[1] !== 'valid')
      throw new Error(`after the second renewal: ${codes.join()}`);
    if (codes[2] === 'valid') throw new Error('the secret that was lost still works: a third version');
    await expectTwoVersions(api, key.id);
  });
  return `${count} holders killed between reply and store: all have a key that works, renewed again, two versions each`;
}

/** By a campaign, so that nobody has to wait for a window of its own. */
async function askAll(api: Api, count: number): Promise<void> {
  const { status, body } = await api.call('POST', '/v1/campaigns', {
    kind: 'rotate',
    selector: { keyspace },
    confirm: count,
    window_seconds: 1,
  });
  expectStatus(status, 201, body);
}

async function renewWhenItMay(api: Api): Promise<unknown> {
  for (;;) {
    const reply = await untilTaken(() => api.call('POST', '/v1/keys/self/renew', {}));
    if (reply.status === 200) return reply.body;
    if (reply.body.code !== 'renew_too_early') throw new Error(JSON.stringify(reply.body));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The verdict of a worker that knows of the renewal: the other one may take some milliseconds. */
async function codeSince(api: Api, key: string, seq: string): Promise<string> {
  const { body } = await untilTaken(() =>
    api.call('POST', '/v1/keys/verify', { key, keyspace, min_seq: seq }),
  );
  return String(body.code);
}

function seqOf(reply: unknown): string {
  return String((reply as { readonly seq?: unknown }).seq);
}

async function expectTwoVersions(api: Api, id: string): Promise<void> {
  const { body } = await api.call('GET', `/v1/keys/${id}`);
  const versions = Array.isArray(body.versions) ? body.versions : [];
  const live = versions.filter(({ state }) => state !== 'retired');
  if (versions.length !== 2 || live.length !== 2) throw new Error(`${id} has ${JSON.stringify(versions)}`);
}

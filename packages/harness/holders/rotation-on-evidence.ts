import { issuedOf, verdictsOf } from '../acceptance/api.ts';
import { expectStatus } from '../acceptance/walk.ts';
import { type House, keyspaceName } from './house.ts';

/** A use is known to every server within 5 s (docs/decisions/0015). */
const toldWithinMs = 6_000;

/**
 * A new secret that was never deployed, and then one that was while the old one is still in use: neither may end the
 * old version, unless somebody says `force`.
 */
export async function rotationOnEvidence({ api }: House): Promise<string> {
  const made = await api.call('POST', '/v1/keys', {
    keyspace: keyspaceName,
    owner: { kind: 'service', external_id: 'storage-gateway' },
    name: 'storage gateway',
    scopes: ['orders:read'],
    ttl_seconds: 3600,
  });
  const old = issuedOf(made.body);
  const rotated = await api.call('POST', `/v1/keys/${old.id}/rotate`, { grace_seconds: 600 });
  const fresh = issuedOf(rotated.body);

  const undeployed = await api.call('POST', `/v1/keys/${old.id}/finish-rotation`, {});
  expectCode(undeployed.body, 'new_version_unused');
  await expectValid(api, old.secret);

  await expectValid(api, fresh.secret);
  const untilMs = performance.now() + toldWithinMs;
  while (performance.now() < untilMs) {
    await expectValid(api, old.secret);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const inUse = await api.call('POST', `/v1/keys/${old.id}/finish-rotation`, {});
  expectCode(inUse.body, 'version_in_use');
  if (inUse.body.last_used_at === undefined) throw new Error('the refusal does not say when it was used');

  const shown = await api.call('GET', `/v1/keys/${old.id}/rotation`);
  expectStatus(shown.status, 200, shown.body);
  if (shown.body.state !== 'overlapping') throw new Error(`the rotation is ${String(shown.body.state)}`);

  const forced = await api.call('POST', `/v1/keys/${old.id}/finish-rotation`, { force: true });
  expectStatus(forced.status, 200, forced.body);
  const [oldCode, freshCode] = await verdictsOf(api, [old.secret, fresh.secret], keyspaceName);
  if (oldCode !== 'expired' || freshCode !== 'valid')
    throw new Error(`after force: ${oldCode}, ${freshCode}`);
  return 'refused: new version unused; refused: old version in use; forced: old one ended, new one valid';
}

async function expectValid(api: House['api'], secret: string): Promise<void> {
  const [code] = await verdictsOf(api, [secret], keyspaceName);
  if (code !== 'valid') throw new Error(`a version that works was ${code}`);
}

function expectCode(body: Readonly<Record<string, unknown>>, code: string): void {
  if (body.code !== code) throw new Error(`expected ${code}, got ${JSON.stringify(body)}`);
}

import { type Api, apiOf, verdictsOf } from './api.ts';
import { type Burst, newBurst, resolveUnknown, runBurst } from './burst.ts';
import { type ServerProcess, type ServerProcessOptions, startServerProcess } from './server-process.ts';
import { expectStatus } from './walk.ts';

export interface CrashOptions {
  readonly cycles: number;
  readonly writers: number;
  /** How long each burst runs before the SIGKILL, at least and at most. */
  readonly burstMsMin: number;
  readonly burstMsMax: number;
  readonly random: () => number;
}

export interface CrashEvidence {
  readonly kills: number;
  readonly acked: number;
  readonly keys: number;
  readonly inFlight: number;
  /** SIGKILL to the first 200 of /readyz, each cycle. */
  readonly recoveryMs: readonly number[];
}

/**
 * Kills the server in the middle of write bursts and proves, after each restart, that every acknowledged
 * effect is there, that nothing is there which nobody was promised, and that a retried request has one effect.
 */
export async function crash(
  processOptions: ServerProcessOptions,
  options: CrashOptions,
): Promise<{ evidence: CrashEvidence; server: ServerProcess }> {
  let server = await startServerProcess(processOptions);
  const keyspace = `crash-${process.pid}-${Math.floor(performance.now())}`;
  const created = await apiOf(server, processOptions.bootstrapKey).call('POST', '/v1/keyspaces', {
    name: keyspace,
    prefix: 'crash',
    format: 'opaque',
    allowed_scopes: ['orders:*'],
  });
  expectStatus(created.status, 201, created.body);
  const burst = newBurst();
  const recoveryMs: number[] = [];
  let inFlight = 0;
  for (let cycle = 0; cycle < options.cycles; cycle++) {
    const span = options.burstMsMin + options.random() * (options.burstMsMax - options.burstMsMin);
    const running = runBurst(apiOf(server, processOptions.bootstrapKey), burst, {
      keyspace,
      writers: options.writers,
      stop: () => false,
    });
    await new Promise((resolve) => setTimeout(resolve, span));
    const killedAt = performance.now();
    await server.kill();
    await running;
    inFlight += burst.unknown.length;
    server = await startServerProcess(processOptions);
    recoveryMs.push(performance.now() - killedAt);
    const api = apiOf(server, processOptions.bootstrapKey);
    await checkAcked(api, burst, keyspace);
    await resolveUnknown(api, burst);
    await checkAcked(api, burst, keyspace);
    await checkNothingElse(api, burst, keyspace);
  }
  const evidence = {
    kills: options.cycles,
    acked: burst.acked,
    keys: burst.keys.length,
    inFlight,
    recoveryMs,
  };
  return { evidence, server };
}

/** Every acknowledged key answers as it was acknowledged. A key whose revoke or rotate is unknown may answer either way. */
async function checkAcked(api: Api, burst: Burst, keyspace: string): Promise<void> {
  const open = new Set(burst.unknown.map((attempt) => /^\/v1\/keys\/(key_[^/]+)/.exec(attempt.path)?.[1]));
  const settled = burst.keys.filter((key) => !open.has(key.id));
  const secrets = settled.flatMap((key) => key.secrets);
  const wanted = settled.flatMap((key) => key.secrets.map(() => (key.revoked ? 'revoked' : 'valid')));
  const found = await verdictsOf(api, secrets, keyspace);
  const wrong = found.filter((code, index) => code !== wanted[index]);
  if (wrong.length > 0)
    throw new Error(`${wrong.length} of ${found.length} acked secrets differ: ${wrong[0]}`);
}

/** The list holds exactly the keys that were acknowledged: nothing lost, nothing doubled, none half there. */
async function checkNothingElse(api: Api, burst: Burst, keyspace: string): Promise<void> {
  const wanted = new Map(burst.keys.map((key) => [key.id, key]));
  let seen = 0;
  let cursor = '';
  for (;;) {
    const reply = await api.call('GET', `/v1/keys?keyspace=${keyspace}&limit=200${cursor}`);
    expectStatus(reply.status, 200, reply.body);
    for (const item of reply.body.items as readonly Record<string, unknown>[]) {
      const key = wanted.get(String(item.id));
      if (key === undefined) throw new Error(`${String(item.id)} is there, but nobody was promised it`);
      const state = key.revoked ? 'revoked' : 'active';
      const versions = item.versions as readonly unknown[];
      if (item.state !== state || versions.length !== key.secrets.length) {
        throw new Error(`${key.id} is ${String(item.state)} with ${versions.length} versions, not ${state}`);
      }
      seen++;
    }
    const next = reply.body.next_cursor;
    if (typeof next !== 'string') break;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
  if (seen !== wanted.size) throw new Error(`${wanted.size} keys were promised, ${seen} are there`);
}

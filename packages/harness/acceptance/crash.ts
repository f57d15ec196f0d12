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
  /**
   * At every so many cycles, and at the last one, every key there ever was is looked at; between them only those of the
   * cycle. 1 unless given.
   */
  readonly fullCheckEvery?: number;
  /** The share of restarts that are killed themselves before they are ready, and tried again. */
  readonly killedStarts?: number;
  /** After each cycle. */
  readonly report?: (evidence: CrashEvidence) => void;
}

export interface CrashEvidence {
  readonly kills: number;
  /** Kills of a server that was still coming back, besides. */
  readonly killedStarts: number;
  readonly acked: number;
  readonly keys: number;
  readonly inFlight: number;
  /** From the start to the first 200 of /readyz, each cycle. */
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
  const evidence = { kills: 0, killedStarts: 0, acked: 0, keys: 0, inFlight: 0, recoveryMs: [] as number[] };
  const { fullCheckEvery = 1, killedStarts = 0, random } = options;
  for (let cycle = 0; cycle < options.cycles; cycle++) {
    const span = options.burstMsMin + random() * (options.burstMsMax - options.burstMsMin);
    const from = burst.keys.length;
    const running = runBurst(apiOf(server, processOptions.bootstrapKey), burst, {
      keyspace,
      writers: options.writers,
      stop: () => false,
    });
    await new Promise((resolve) => setTimeout(resolve, span));
    await server.kill();
    await running;
    evidence.kills += 1;
    evidence.inFlight += burst.unknown.length;
    while (random() < killedStarts) {
      await killWhileStarting(processOptions, random() * startMsMax);
      evidence.killedStarts += 1;
    }
    const startedAt = performance.now();
    server = await startServerProcess(processOptions);
    evidence.recoveryMs.push(performance.now() - startedAt);
    const api = apiOf(server, processOptions.bootstrapKey);
    const isFull = (cycle + 1) % fullCheckEvery === 0 || cycle + 1 === options.cycles;
    const since = isFull ? 0 : from;
    await checkAcked(api, burst, { keyspace, since });
    await resolveUnknown(api, burst);
    await checkAcked(api, burst, { keyspace, since });
    if (isFull) await checkNothingElse(api, burst, keyspace);
    evidence.acked = burst.acked;
    evidence.keys = burst.keys.length;
    options.report?.(evidence);
  }
  return { evidence, server };
}

/** A start takes about two seconds here: a kill comes at any moment of it. */
const startMsMax = 2_000;

/** Starts a server that has no time to become ready: it is killed instead. Where it was quicker, it is killed all the same. */
async function killWhileStarting(processOptions: ServerProcessOptions, afterMs: number): Promise<void> {
  const started = await startServerProcess({ ...processOptions, readyWithinMs: afterMs }).catch(
    () => undefined,
  );
  await started?.kill();
}

/** Every acknowledged key answers as it was acknowledged. A key whose revoke or rotate is unknown may answer either way. */
async function checkAcked(
  api: Api,
  burst: Burst,
  { keyspace, since }: { readonly keyspace: string; readonly since: number },
): Promise<void> {
  const open = new Set(burst.unknown.map((attempt) => /^\/v1\/keys\/(key_[^/]+)/.exec(attempt.path)?.[1]));
  const settled = burst.keys.slice(since).filter((key) => !open.has(key.id));
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

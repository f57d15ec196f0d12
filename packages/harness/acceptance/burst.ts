import { randomUUID } from 'node:crypto';
import { type Api, issuedOf, type Reply, resultsOf } from './api.ts';

/*
 * Writers that go on until the server dies under them. Each remembers what was acknowledged, and what was in
 * flight when no reply came: those are *unknown*, and stay unknown until the same request, with the same
 * Idempotency-Key, is answered by the restarted server.
 */

export interface BurstKey {
  readonly id: string;
  /** Newest last. */
  readonly secrets: string[];
  revoked: boolean;
}

/** A request as it was sent, and what to note once it is answered. */
interface Attempt {
  readonly path: string;
  readonly body: unknown;
  readonly idempotencyKey: string;
  readonly note: (reply: Reply) => void;
}

export interface Burst {
  readonly keys: BurstKey[];
  readonly unknown: Attempt[];
  acked: number;
}

const bulkKeys = 20;

export function newBurst(): Burst {
  return { keys: [], unknown: [], acked: 0 };
}

/** Runs `writers` writers until each has met a broken connection (the kill), or `stop` says so. */
export async function runBurst(
  api: Api,
  burst: Burst,
  options: { readonly keyspace: string; readonly writers: number; readonly stop: () => boolean },
): Promise<void> {
  const writer = async (index: number): Promise<void> => {
    const own: BurstKey[] = [];
    for (let turn = index; !options.stop(); turn++) {
      const attempt = nextAttempt(burst, own, options.keyspace, turn);
      try {
        settle(burst, attempt, await send(api, attempt));
      } catch {
        burst.unknown.push(attempt);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: options.writers }, (_, index) => writer(index)));
}

/** Sends what was in flight once more. Every one must now be answered. */
export async function resolveUnknown(api: Api, burst: Burst): Promise<void> {
  for (const attempt of burst.unknown.splice(0)) settle(burst, attempt, await send(api, attempt));
}

async function send(api: Api, attempt: Attempt): Promise<Reply> {
  return api.call('POST', attempt.path, attempt.body, { 'idempotency-key': attempt.idempotencyKey });
}

function settle(burst: Burst, attempt: Attempt, reply: Reply): void {
  if (reply.status === 503 || reply.status === 429) return; // shed at the door: no effect, nothing to note
  if (reply.status >= 300) throw new Error(`${attempt.path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  attempt.note(reply);
  burst.acked++;
}

function nextAttempt(burst: Burst, own: BurstKey[], keyspace: string, turn: number): Attempt {
  const idempotencyKey = randomUUID();
  const noteKey = (value: unknown): void => {
    const { id, secret } = issuedOf(value);
    const key = { id, secrets: [secret], revoked: false };
    own.push(key);
    burst.keys.push(key);
  };
  const target = turn % 10 >= 8 ? own.pop() : undefined;
  if (target !== undefined && turn % 10 === 8) {
    const note = (reply: Reply): void => {
      target.secrets.push(issuedOf(reply.body).secret);
    };
    return { path: `/v1/keys/${target.id}/rotate`, body: { grace_seconds: 3600 }, idempotencyKey, note };
  }
  if (target !== undefined) {
    const note = (): void => {
      target.revoked = true;
    };
    return { path: `/v1/keys/${target.id}/revoke`, body: { reason: 'burst' }, idempotencyKey, note };
  }
  const asked = {
    keyspace,
    owner: { kind: 'service', external_id: `burst-${turn % 7}` },
    name: `burst ${turn}`,
    scopes: ['orders:read'],
    ttl_seconds: 3600,
  };
  if (turn % 10 === 5) {
    const note = (reply: Reply): void => {
      for (const result of resultsOf(reply)) noteKey(result);
    };
    return { path: '/v1/keys/bulk', body: { keys: Array(bulkKeys).fill(asked) }, idempotencyKey, note };
  }
  return { path: '/v1/keys', body: asked, idempotencyKey, note: (reply) => noteKey(reply.body) };
}

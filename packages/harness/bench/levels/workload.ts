import { randomUUID } from 'node:crypto';
import type { OpKind } from './tally.ts';
import { zipfRanks } from './zipf.ts';

/*
 * What is asked for. A mix is a weight for each kind of request; `rotate` and `revoke` stand on keys that were issued
 * during the run, so their mixes issue as many as they end, and every key is rotated or revoked once.
 */

export const mixes = {
  verify: { verify: 1 },
  issue: { issue: 1 },
  rotate: { issue: 0.5, rotate: 0.5 },
  revoke: { issue: 0.5, revoke: 0.5 },
  mixed: { verify: 0.9, issue: 0.06, rotate: 0.02, revoke: 0.02 },
} as const satisfies Readonly<Record<string, Partial<Record<OpKind, number>>>>;
export type MixName = keyof typeof mixes;
export const mixNames = Object.keys(mixes) as readonly MixName[];

/** Whether it asks for keys to be rotated or revoked. */
export function endsKeys(mix: MixName): boolean {
  return 'rotate' in mixes[mix] || 'revoke' in mixes[mix];
}

export interface VerifyKey {
  readonly secret: string;
  /** The verdict that it has to get, whatever the load. */
  readonly code: string;
}

/** Who asks whom for what; goes to the generators by message. */
export interface WorkloadPlan {
  readonly host: string;
  readonly managementKey: string;
  readonly keyspace: string;
  readonly mix: MixName;
  /** By popularity, most popular first. */
  readonly good: readonly VerifyKey[];
  readonly bad: readonly VerifyKey[];
  /** Part of the verifications that present a key that has to be refused. */
  readonly badShare: number;
  /** Ids of keys that can be rotated or revoked. */
  readonly pool: readonly string[];
}

export interface Ask {
  readonly kind: OpKind;
  readonly request: string;
  /** Of a verification. */
  readonly code: string | undefined;
}

const zipfExponent = 1;
const ownersCount = 64;
const graceSeconds = 600;
/** Ids that are kept to be rotated or revoked; what is issued beyond stays as it is. */
const poolMax = 200_000;

export class Workload {
  readonly #plan: WorkloadPlan;
  readonly #random: () => number;
  readonly #rank: () => number;
  readonly #good: readonly Ask[];
  readonly #bad: readonly Ask[];
  readonly #issueBodies: readonly string[];
  readonly #pool: string[];

  constructor(plan: WorkloadPlan, random: () => number) {
    this.#plan = plan;
    this.#random = random;
    this.#rank = zipfRanks(Math.max(1, plan.good.length), zipfExponent, random);
    this.#good = plan.good.map((key) => this.#verifyAsk(key));
    this.#bad = plan.bad.map((key) => this.#verifyAsk(key));
    this.#issueBodies = Array.from({ length: ownersCount }, (_, owner) => issueBody(plan.keyspace, owner));
    this.#pool = [...plan.pool];
  }

  next(): Ask {
    const kind = this.#kind();
    if (kind === 'verify') return this.#verify();
    const id = kind === 'issue' ? undefined : this.#pool.shift();
    if (id === undefined) {
      const body = this.#issueBodies[Math.floor(this.#random() * ownersCount)] ?? '';
      return { kind: 'issue', request: this.#post('/v1/keys', body), code: undefined };
    }
    const body = kind === 'rotate' ? `{"grace_seconds":${graceSeconds}}` : '{"reason":"bench"}';
    return { kind, request: this.#post(`/v1/keys/${id}/${kind}`, body), code: undefined };
  }

  /** Takes in what an issue made. */
  note(ask: Ask, replyText: string): void {
    if (ask.kind !== 'issue' || this.#pool.length >= poolMax) return;
    const id = /"id":"(key_[0-9A-Za-z_-]+)"/.exec(replyText)?.[1];
    if (id !== undefined) this.#pool.push(id);
  }

  #kind(): OpKind {
    let left = this.#random();
    for (const [kind, weight] of Object.entries(mixes[this.#plan.mix])) {
      left -= weight;
      if (left < 0) return kind as OpKind;
    }
    return Object.keys(mixes[this.#plan.mix])[0] as OpKind;
  }

  #verify(): Ask {
    const isBad = this.#bad.length > 0 && this.#random() < this.#plan.badShare;
    const ask = isBad ? this.#bad[Math.floor(this.#random() * this.#bad.length)] : this.#good[this.#rank()];
    if (ask === undefined) throw new Error('there are no keys to verify');
    return ask;
  }

  #verifyAsk({ secret, code }: VerifyKey): Ask {
    const { keyspace } = this.#plan;
    const body = JSON.stringify({ key: secret, keyspace, scopes: ['orders:read'] });
    return { kind: 'verify', request: this.#wire('/v1/keys/verify', body, ''), code };
  }

  /** With an Idempotency-Key, as the SDK sends every change. */
  #post(path: string, body: string): string {
    return this.#wire(path, body, `idempotency-key: ${randomUUID()}\r\n`);
  }

  #wire(path: string, body: string, more: string): string {
    const { host, managementKey } = this.#plan;
    return (
      `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n` +
      `authorization: Bearer ${managementKey}\r\n${more}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    );
  }
}

function issueBody(keyspace: string, owner: number): string {
  return JSON.stringify({
    keyspace,
    owner: { kind: 'service', external_id: `bench-${owner}` },
    name: 'bench',
    scopes: ['orders:read'],
    ttl_seconds: 86_400,
  });
}

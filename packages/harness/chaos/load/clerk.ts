import type { SecretScan } from '../evidence/scan-secrets.ts';
import type { History } from '../history/history.ts';
import type { Invocation, Settlement, WriteKind } from '../history/operation.ts';
import { writeAttemptsMax, writeTimeoutMs } from '../limits.ts';
import type { BookKey, KeyBook } from './key-book.ts';
import { mayBeRepeated, type RawReply, settlementOf } from './read-reply.ts';

/*
 * Changes keys, as a client does that follows the rules: with an Idempotency-Key, and again by another server where the answer says
 * so or none came. Some clients give up instead (they crashed): what became of that request nobody ever asks.
 */

export interface Desk {
  readonly name: string;
  readonly url: string;
}

export interface ClerkPorts {
  readonly desks: readonly Desk[];
  readonly managementKey: string;
  readonly history: History;
  readonly book: KeyBook;
  readonly secrets: SecretScan;
  readonly random: () => number;
}

export interface IssueTerms {
  readonly keyspace: string;
  readonly ttlSeconds: number;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** It goes away after so long, ms, whatever is under way. */
  readonly giveUpMs?: number | undefined;
}

/** How many of a hundred clients hang up at once and ask again, and how many ask again though they were answered. */
const impatientOfHundred = 6;
const forgetfulOfHundred = 8;
/** How many of a hundred clients never ask again when no answer came. */
const givesUpOfHundred = 25;

export class Clerk {
  readonly #ports: ClerkPorts;
  #turn = 0;
  #sent = 0;

  constructor(ports: ClerkPorts) {
    this.#ports = ports;
  }

  async issue({ keyspace, ttlSeconds }: IssueTerms): Promise<BookKey | undefined> {
    const { book, secrets } = this.#ports;
    const number = book.nextNumber();
    const body = {
      keyspace,
      owner: { kind: 'service', external_id: `chaos-${number % 7}` },
      name: `chaos ${number}`,
      scopes: ['orders:read'],
      ttl_seconds: ttlSeconds,
    };
    const invocation = { kind: 'issue' as const, key: number, keyspace, ttlMs: ttlSeconds * 1000 };
    const done = await this.#write(invocation, '/v1/keys', body);
    if (done === undefined) return undefined;
    const { id, secret, seq, expires_at } = done.body;
    secrets.add(String(secret), `key ${number}`);
    const key = newKey({ number, keyspace, id, secret, seq, expires_at });
    book.add(key);
    return key;
  }

  async rotate(key: BookKey, graceSeconds = 600): Promise<boolean> {
    const body = { grace_seconds: graceSeconds };
    const done = await this.#change(key, 'rotate', body, { graceMs: graceSeconds * 1000 });
    if (done === undefined) return false;
    const secret = String(done.body.secret);
    this.#ports.secrets.add(secret, `key ${key.number}`);
    key.secrets.push(secret);
    key.rotatedAtMs = performance.now();
    return true;
  }

  async finish(key: BookKey, force: boolean): Promise<boolean> {
    return (await this.#change(key, 'finish', { force }, { force })) !== undefined;
  }

  async suspend(key: BookKey): Promise<boolean> {
    const done = await this.#change(key, 'suspend', {});
    if (done !== undefined) key.life = 'suspended';
    return done !== undefined;
  }

  async resume(key: BookKey): Promise<boolean> {
    const done = await this.#change(key, 'resume', {});
    if (done !== undefined) key.life = 'active';
    return done !== undefined;
  }

  async revoke(key: BookKey): Promise<boolean> {
    const done = await this.#change(key, 'revoke', { reason: 'chaos' });
    if (done === undefined) return false;
    key.life = 'revoked';
    this.#ports.book.end(key);
    return true;
  }

  /** Its record, from the store. */
  async read(key: BookKey): Promise<void> {
    const desk = this.#desk();
    const invocation = { kind: 'read' as const, key: key.number, keyspace: key.keyspace, at: desk.name };
    await this.#send(desk, invocation, { method: 'GET', path: `/v1/keys/${key.id}` });
  }

  async #change(
    key: BookKey,
    kind: WriteKind,
    body: unknown,
    more: Partial<Invocation> = {},
  ): Promise<RawReply | undefined> {
    key.isBusy = true;
    const path = `/v1/keys/${key.id}/${kind === 'finish' ? 'finish-rotation' : kind}`;
    const about = { kind, key: key.number, keyspace: key.keyspace, ...more };
    const done = await this.#write(about, path, body, () => {
      key.life = 'unsure';
    });
    if (done !== undefined) key.lastSeq = String(done.body.seq);
    // A key of which nobody knows what it is is left alone from then on; it is looked at all the same.
    if (key.life !== 'unsure') key.isBusy = false;
    return done;
  }

  /** The reply that acknowledged it, or nothing. */
  async #write(
    about: Omit<Invocation, 'at' | 'idempotencyKey'>,
    path: string,
    body: unknown,
    onUnsure: () => void = () => {},
  ): Promise<RawReply | undefined> {
    this.#sent += 1;
    const idempotencyKey = `chaos-${process.pid}-${this.#sent}-${about.key}`;
    const givesUp = this.#ports.random() * 100 < givesUpOfHundred;
    let isUnsure = false;
    let giveUpMs =
      this.#ports.random() * 100 < impatientOfHundred ? 1 + Math.floor(this.#ports.random() * 20) : undefined;
    for (let attempt = 1; attempt <= writeAttemptsMax; attempt += 1) {
      const desk = this.#desk();
      const invocation = { ...about, at: desk.name, idempotencyKey };
      const { settlement, reply } = await this.#send(desk, invocation, {
        method: 'POST',
        path,
        body,
        giveUpMs,
      });
      // Some lose the answer on its way home and ask again: they have to be told the same.
      if (reply !== undefined && this.#ports.random() * 100 < forgetfulOfHundred)
        await this.#again(invocation, { method: 'POST', path, body });
      if (reply !== undefined) return reply;
      giveUpMs = undefined;
      isUnsure ||= settlement.outcome === 'unknown';
      if (!mayBeRepeated(settlement) || (isUnsure && givesUp)) break;
      await pause(100 + this.#ports.random() * 400 * attempt);
    }
    if (isUnsure) onUnsure();
    return undefined;
  }

  async #send(
    desk: Desk,
    invocation: Invocation,
    { method, path, body, giveUpMs }: Call,
  ): Promise<{ readonly settlement: Settlement; readonly reply: RawReply | undefined }> {
    const { history, managementKey } = this.#ports;
    const id = history.invoke(invocation);
    let settlement: Settlement = { outcome: 'unknown', status: 0, code: 'no_reply' };
    let reply: RawReply | undefined;
    try {
      const response = await fetch(desk.url + path, {
        method,
        signal: AbortSignal.timeout(giveUpMs ?? writeTimeoutMs),
        headers: {
          authorization: `Bearer ${managementKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(invocation.idempotencyKey === undefined
            ? {}
            : { 'idempotency-key': invocation.idempotencyKey }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const raw = { status: response.status, body: (await response.json()) as RawReply['body'] };
      settlement = settlementOf(raw);
      if (settlement.outcome === 'ok') reply = raw;
    } catch {
      // No reply, or half of one: nobody knows.
    }
    history.settle(id, settlement);
    return { settlement, reply };
  }

  async #again(invocation: Invocation, call: Call): Promise<void> {
    const desk = this.#desk();
    await this.#send(desk, { ...invocation, at: desk.name }, call);
  }

  #desk(): Desk {
    const { desks } = this.#ports;
    this.#turn += 1;
    const desk = desks[this.#turn % desks.length];
    if (desk === undefined) throw new Error('there is no server');
    return desk;
  }
}

export function newKey(reply: {
  readonly number: number;
  readonly keyspace: string;
  readonly id: unknown;
  readonly secret: unknown;
  readonly seq: unknown;
  readonly expires_at: unknown;
}): BookKey {
  return {
    number: reply.number,
    keyspace: reply.keyspace,
    id: String(reply.id),
    secrets: [String(reply.secret)],
    lastSeq: String(reply.seq),
    life: 'active',
    isBusy: false,
    rotatedAtMs: Number.NEGATIVE_INFINITY,
    expiresAtMs: Date.parse(String(reply.expires_at)),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

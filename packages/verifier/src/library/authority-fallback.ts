import { ownerKinds, parseId, type RefusalCode, refusalCodes, type Secret } from '@keyswarm/core';
import { RelayCalls } from '../http/relay-calls.ts';
import { BadAnswer } from '../http/relay-errors.ts';
import { fallbackInFlightMax, fallbackMsMax, verdictReplyBytesMax } from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import type { AuthorityVerdict, FreshRequirement } from './verifier-api.ts';

export interface FallbackOptions {
  /** Whose keys may be asked after; `all`: any, also where the access point names no keyspace. */
  readonly keyspaces: readonly string[] | 'all';
  /** One ask, ms; 2,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** An authority, or a node that has news; absent: the first relay. */
  readonly url?: string | undefined;
  /** With the scope `keys:verify`; absent: that of the feed. */
  readonly credential?: Secret | string | undefined;
}

export interface FallbackPorts {
  readonly url: string;
  readonly credential: Secret | string;
  readonly timers: Timers;
}

/**
 * Asks the authority about one key, for what can't be answered from here. Bounded in time and in number: an outage of
 * the feed must not become a flood at the authority, so whoever comes past the bound is told nothing.
 */
export class AuthorityFallback {
  readonly #calls: RelayCalls;
  readonly #keyspaces: ReadonlySet<string> | 'all';
  readonly #timeoutMs: number;
  readonly #closed = new AbortController();
  #inFlight = 0;
  #asked = 0;
  #failed = 0;

  constructor(
    { keyspaces, timeoutMs = fallbackMsMax, url, credential }: FallbackOptions,
    ports: FallbackPorts,
  ) {
    this.#keyspaces = keyspaces === 'all' ? 'all' : new Set(keyspaces);
    this.#timeoutMs = timeoutMs;
    this.#calls = new RelayCalls({
      url: url ?? ports.url,
      credential: credential ?? ports.credential,
      timers: ports.timers,
    });
  }

  get asked(): number {
    return this.#asked;
  }

  get failed(): number {
    return this.#failed;
  }

  speaksFor({ keyspace }: FreshRequirement): boolean {
    return this.#keyspaces === 'all' || (keyspace !== undefined && this.#keyspaces.has(keyspace));
  }

  /** Undefined: it could not be asked, or gave no verdict. Never rejects. */
  async ask(key: string, requirement: FreshRequirement): Promise<AuthorityVerdict | undefined> {
    if (this.#inFlight >= fallbackInFlightMax || this.#closed.signal.aborted) return undefined;
    this.#inFlight += 1;
    this.#asked += 1;
    const { keyspace, scopes, minSeq } = requirement;
    const body = JSON.stringify({ key, keyspace, scopes, min_seq: minSeq });
    try {
      const answer = await this.#calls.askWhole(
        { method: 'POST', path: '/v1/keys/verify', body, signal: this.#closed.signal },
        { bytesMax: verdictReplyBytesMax, msMax: this.#timeoutMs },
      );
      return verdictOf(JSON.parse(answer.toString()));
    } catch {
      this.#failed += 1;
      return undefined;
    } finally {
      this.#inFlight -= 1;
    }
  }

  close(): void {
    this.#closed.abort(new Error('closed'));
    this.#calls.close();
  }
}

/** A verdict as `POST /v1/keys/verify` answers it. Anything else is none: a VALID needs every member. */
function verdictOf(json: unknown): AuthorityVerdict {
  const view = fieldsOf(json);
  const refusal = refusalCodes.find((code): code is RefusalCode => code === view.code);
  if (view.valid === false && refusal !== undefined) return { valid: false, code: refusal };
  if (view.valid !== true || view.code !== 'valid') throw new BadAnswer('the verdict is none');
  const { version, keyspace, scopes, rotation, renew_after: renewAfter } = view;
  const owner = fieldsOf(view.owner);
  const kind = ownerKinds.find((known) => known === owner.kind);
  const keyId = parseId('key', textOf(view.key_id));
  const keyspaceId = parseId('ks', textOf(view.keyspace_id));
  const ownerId = parseId('own', textOf(owner.id));
  const ids = keyId !== undefined && keyspaceId !== undefined && ownerId !== undefined;
  if (!ids || kind === undefined || typeof version !== 'number' || !isTexts(scopes))
    throw new BadAnswer('the verdict lacks a member');
  return {
    valid: true,
    code: 'valid',
    keyId,
    version,
    owner: { id: ownerId, kind, externalId: textOf(owner.external_id) },
    keyspaceId,
    keyspace: textOf(keyspace),
    scopes,
    expiresAtMs: view.expires_at === null ? null : timeOf(view.expires_at),
    rotation:
      rotation === undefined ? null : { state: 'grace', retiresAtMs: timeOf(fieldsOf(rotation).retires_at) },
    renewAfterMs: renewAfter === undefined ? null : timeOf(renewAfter),
  };
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null) throw new BadAnswer('the verdict is not an object');
  return { ...json };
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new BadAnswer('the verdict lacks a text');
  return value;
}

function timeOf(value: unknown): number {
  const ms = Date.parse(textOf(value));
  if (Number.isNaN(ms)) throw new BadAnswer('the verdict lacks a time');
  return ms;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

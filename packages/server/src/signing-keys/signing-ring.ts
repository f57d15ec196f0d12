import type { KeyObject } from 'node:crypto';
import {
  algorithms,
  encodeSigningKey,
  Fault,
  raiseTokensUntil,
  type SigningAlgorithm,
  type SigningKeyFact,
  type SigningKeyId,
  tokenHeaderText,
  type WorkspaceId,
  withBody,
} from '@keyswarm/core';
import { signingKeysOpenMax, tokensUntilStepMs } from '../limits.ts';
import { recordOf } from './change-signing-keys.ts';
import { ensureSigningKey, houseActor, requireIssuer } from './rotate-signing-keys.ts';
import type { SigningPorts } from './signing-key-ports.ts';
import { shardOfSigningKeys } from './signing-slot.ts';

/*
 * What signs. It goes by the resident table for who is active, as verifiers do, and asks the store for a private key once.
 *
 * Before a token is signed that outlives what the record says of the key's tokens, the record is raised, by an hour more
 * than is needed, so that a busy server writes it once an hour and not once a token.
 */
export class SigningRing {
  readonly #ports: SigningPorts;
  readonly #open = new Map<SigningKeyId, OpenKey>();

  constructor(ports: SigningPorts) {
    this.#ports = ports;
  }

  get issuer(): string {
    return requireIssuer(this.#ports);
  }

  /** `claims` of the issuer, as a text; `type` as in the header. */
  async sign(wish: SignWish): Promise<string> {
    const key = await this.#keyFor(wish);
    const head = tokenHeaderText(algorithms[wish.algorithm].jose, key.id, wish.type);
    const signed = `${base64url(head)}.${base64url(wish.claims)}`;
    return `${signed}.${await this.#ports.vault.sign(wish.algorithm, key.privateKey, signed)}`;
  }

  async #keyFor({ workspaceId, algorithm, expiresAtMs }: SignWish): Promise<OpenKey> {
    const issuer = this.issuer;
    const active = this.#activeOf(workspaceId, algorithm, issuer);
    const id = active?.id ?? (await ensureSigningKey(this.#ports, { workspaceId, algorithm, issuer })).id;
    const key = this.#open.get(id) ?? (await this.#load(id));
    if (expiresAtMs > key.tokensUntilMs) await this.#raise(key, workspaceId, expiresAtMs);
    return key;
  }

  #activeOf(
    workspaceId: WorkspaceId,
    algorithm: SigningAlgorithm,
    issuer: string,
  ): SigningKeyFact | undefined {
    for (const fact of this.#ports.verifier.signingKeys()) {
      const isOurs = fact.workspaceId === workspaceId && fact.algorithm === algorithm;
      if (isOurs && fact.state === 'active' && fact.issuer === issuer) return fact;
    }
    return undefined;
  }

  async #load(id: SigningKeyId): Promise<OpenKey> {
    const document = await this.#ports.reader.document(id);
    const record = document && recordOf(document);
    const privateKey = record && this.#ports.vault.open(record);
    if (record === undefined || privateKey === undefined) {
      throw new Fault('internal', {
        detail: 'The signing key is sealed under a master key that is not known here.',
      });
    }
    const key: OpenKey = { id, privateKey, tokensUntilMs: record.tokensUntilMs };
    for (const oldest of this.#open.keys()) {
      if (this.#open.size < signingKeysOpenMax) break;
      this.#open.delete(oldest);
    }
    this.#open.set(id, key);
    return key;
  }

  async #raise(key: OpenKey, workspaceId: WorkspaceId, expiresAtMs: number): Promise<void> {
    const { lanes, shards } = this.#ports;
    const untilMs = expiresAtMs + tokensUntilStepMs;
    const { reply } = await lanes.submit<number>({
      shard: shardOfSigningKeys(workspaceId, shards),
      weight: 1,
      actor: houseActor(workspaceId),
      reads: { documents: [key.id] },
      decide(view, nowMs) {
        const document = view.document(key.id);
        const record = document && recordOf(document);
        if (document === undefined || record?.state !== 'active') throw stepped();
        const raised = raiseTokensUntil(record, untilMs);
        if (raised === record) return { changes: [], reply: record.tokensUntilMs };
        const documents = [withBody(document, encodeSigningKey(raised), nowMs)];
        return { changes: [], documents, reply: untilMs };
      },
    });
    key.tokensUntilMs = Math.max(key.tokensUntilMs, reply);
  }
}

export interface SignWish {
  readonly workspaceId: WorkspaceId;
  readonly algorithm: SigningAlgorithm;
  readonly claims: string;
  readonly expiresAtMs: number;
  readonly type?: string | undefined;
}

interface OpenKey {
  readonly id: SigningKeyId;
  readonly privateKey: KeyObject;
  tokensUntilMs: number;
}

/** Another server has rotated a moment ago; the next try goes by what is known then. */
function stepped(): Fault {
  return new Fault('overloaded', { detail: 'The signing key is being rotated.', retryAfterMs: 1_000 });
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

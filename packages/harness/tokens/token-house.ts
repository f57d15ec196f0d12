import { decodeProtectedHeader } from 'jose';
import { type Api, type IssuedKey, inParallel, issuedOf, resultsOf } from '../acceptance/api.ts';
import { expectStatus } from '../acceptance/walk.ts';
import type { VerifyTarget } from '../bound/verify-connection.ts';

/* What the proofs of tokens stand on: two keyspaces, keys in them, tokens of those, and who signs. */

export interface TokenKeyspace {
  readonly name: string;
  /** `aud` of its tokens. */
  readonly id: string;
  readonly format: 'jwt' | 'opaque';
}

/** What of a cluster they need. */
export interface TokenPlane {
  readonly api: Api;
  readonly server: { readonly url: string };
  readonly nodes: readonly (VerifyTarget & { readonly name: string })[];
}

export interface TokenHouse {
  readonly cluster: TokenPlane;
  readonly issuer: string;
  readonly tokens: TokenKeyspace;
  readonly opaque: TokenKeyspace;
  /** T of both. */
  readonly boundMs: number;
  readonly report: (phase: string, found: string) => void;
}

export const leaseSeconds = 5;
/** ρ of the promise: T = L(1 + ρ). */
const driftRatio = 0.01;

export async function openTokenHouse(cluster: TokenPlane, report: TokenHouse['report']): Promise<TokenHouse> {
  return {
    cluster,
    issuer: cluster.server.url,
    tokens: await createTokenKeyspace(cluster.api, 'tokens', 'jwt'),
    opaque: await createTokenKeyspace(cluster.api, 'parents', 'opaque'),
    boundMs: leaseSeconds * 1000 * (1 + driftRatio),
    report,
  };
}

async function createTokenKeyspace(
  api: Api,
  name: string,
  format: TokenKeyspace['format'],
): Promise<TokenKeyspace> {
  const { status, body } = await api.call('POST', '/v1/keyspaces', {
    name,
    prefix: name,
    format,
    allowed_scopes: ['orders:*'],
    default_ttl_seconds: 86_400,
    max_ttl_seconds: 86_400,
    lease_seconds: leaseSeconds,
    token: { derived_ttl_seconds: 3_600 },
  });
  expectStatus(status, 201, body);
  return { name, id: String(body.id), format };
}

function keyTerms(keyspace: TokenKeyspace, at: number) {
  return {
    keyspace: keyspace.name,
    owner: { kind: 'service', external_id: `service-${at % 500}` },
    name: `key ${at}`,
    scopes: ['orders:read', 'orders:write'],
  };
}

export async function issueOne(api: Api, keyspace: TokenKeyspace, at: number): Promise<IssuedKey> {
  const { status, body } = await api.call('POST', '/v1/keys', keyTerms(keyspace, at));
  if (status !== 201) throw new NotTaken(status, JSON.stringify(body));
  return issuedOf(body);
}

export async function issueMany(
  api: Api,
  keyspace: TokenKeyspace,
  count: number,
): Promise<readonly IssuedKey[]> {
  const perCall = 500;
  const issued: IssuedKey[] = [];
  for (let from = 0; from < count; from += perCall) {
    const keys = Array.from({ length: Math.min(perCall, count - from) }, (_, at) =>
      keyTerms(keyspace, from + at),
    );
    const reply = await api.call('POST', '/v1/keys/bulk', { keys });
    for (const result of resultsOf(reply)) issued.push(issuedOf(result));
  }
  return issued;
}

/** The server said no, or nothing of use. */
export class NotTaken extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(`${status}: ${text.slice(0, 300)}`);
    this.status = status;
  }
}

/** RFC 8693: a token with one of the two scopes of its key. */
export async function deriveOne(issuer: string, subject: string): Promise<string> {
  const response = await fetch(`${issuer}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: subject,
      scope: 'orders:read',
    }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new NotTaken(response.status, text);
  const { access_token: token } = JSON.parse(text) as { access_token?: unknown };
  if (typeof token !== 'string') throw new NotTaken(response.status, 'there is no access_token');
  return token;
}

/** A parent, and the one token that was derived of it. */
export interface Derived {
  readonly id: string;
  readonly token: string;
  readonly keyspace: TokenKeyspace;
}

export async function deriveAll(
  issuer: string,
  keyspace: TokenKeyspace,
  parents: readonly IssuedKey[],
): Promise<readonly Derived[]> {
  const derived: Derived[] = [];
  await inParallel(parents, 8, async ({ id, secret }, at) => {
    derived[at] = { id, token: await deriveOne(issuer, secret), keyspace };
  });
  return derived;
}

export function kidOf(token: string): string {
  return decodeProtectedHeader(token).kid ?? '';
}

/** An instant of the wall clock of this machine, which the server shares, on the harness's monotonic clock. */
export function monotonicOf(text: unknown): number {
  const wallMs = Date.parse(String(text));
  if (Number.isNaN(wallMs)) throw new Error(`not an instant: ${String(text)}`);
  return performance.now() + (wallMs - Date.now());
}

export async function until(atMs: number): Promise<void> {
  const leftMs = atMs - performance.now();
  if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
}

import { StatusList } from '@sd-jwt/jwt-status-list';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { expect } from 'vitest';
import { type Keyspace, makeKeyspace } from './fixtures.ts';
import { publicUrl, type Reply, type TestServer } from './test-server.ts';

/* Readers of tokens that share nothing with the server but the standards. */

export function makeTokenKeyspace(server: TestServer, policy: object = {}, options = {}): Promise<Keyspace> {
  const terms = { format: 'jwt', max_ttl_seconds: 86_400, default_ttl_seconds: 3_600 };
  return makeKeyspace(server, { ...terms, ...policy }, options);
}

export async function jwks(server: TestServer): Promise<JSONWebKeySet> {
  const reply = await server.get('/.well-known/jwks.json', { key: null });
  expect(reply.status, reply.text).toBe(200);
  return reply.body as unknown as JSONWebKeySet;
}

/** As an access point does it that has never heard of us. */
export async function claimsByJose(server: TestServer, token: string, audience: string): Promise<JWTPayload> {
  const keys = createLocalJWKSet(await jwks(server));
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer: publicUrl,
    audience,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'client_id', 'jti', 'iat', 'exp'],
  });
  expect(protectedHeader.kid).toMatch(/^sk_/);
  return payload;
}

interface StatusClaim {
  readonly status: { readonly status_list: { readonly idx: number; readonly uri: string } };
}

/** 0 valid, 1 revoked, 2 suspended: by an independent reader of status lists. */
export async function statusByList(server: TestServer, token: string): Promise<number> {
  const { idx, uri } = (decodeJwt(token) as unknown as StatusClaim).status.status_list;
  expect(uri.startsWith(`${publicUrl}/status-lists/`)).toBe(true);
  const reply = await server.get(uri.slice(publicUrl.length), { key: null });
  expect(reply.status, reply.text).toBe(200);
  expect(reply.headers.get('content-type')).toBe('application/statuslist+jwt');
  const keys = createLocalJWKSet(await jwks(server));
  const { payload } = await jwtVerify(reply.text, keys, { issuer: publicUrl, typ: 'statuslist+jwt' });
  expect(payload.sub).toBe(uri);
  expect(payload.ttl).toBeGreaterThan(0);
  const { bits, lst } = payload.status_list as { bits: 2; lst: string };
  return StatusList.decompressStatusList(lst, bits).getStatus(idx);
}

export async function postForm(
  server: TestServer,
  path: string,
  fields: Readonly<Record<string, string>> | string,
  options: { readonly key?: string | null; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...options.headers };
  return await server.call('POST', path, { key: null, ...options, body, headers });
}

export const exchangeGrant = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
};

export async function derive(
  server: TestServer,
  subject: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const reply = await postForm(server, '/oauth/token', { ...exchangeGrant, subject_token: subject, ...more });
  expect(reply.status, reply.text).toBe(200);
  return String(reply.body.access_token);
}

import { expect } from 'vitest';
import type { Reply, RequestOptions, TestServer } from './test-server.ts';

/* What most tests begin with. Names are made anew each time, so that tests share a server and nothing else. */

let count = 0;
export function freshName(stem: string): string {
  count += 1;
  return `${stem}-${count}`;
}

export interface Keyspace {
  readonly id: string;
  readonly name: string;
}

export async function makeKeyspace(
  server: TestServer,
  policy: object = {},
  options?: RequestOptions,
): Promise<Keyspace> {
  const name = freshName('orders');
  const body = { name, prefix: 'orders', allowed_scopes: ['orders:*'], ...policy };
  const reply = await server.post('/v1/keyspaces', body, options);
  expect(reply.status, reply.text).toBe(201);
  return { id: String(reply.body.id), name };
}

export interface Issued {
  readonly id: string;
  readonly secret: string;
  readonly owner: string;
}

export function terms(keyspace: string, more: object = {}): object {
  const owner = { kind: 'service', external_id: freshName('billing') };
  return { keyspace, owner, scopes: ['orders:read'], ...more };
}

export async function issue(
  server: TestServer,
  keyspace: string,
  more: object = {},
  options?: RequestOptions,
): Promise<Issued> {
  const reply = await server.post('/v1/keys', terms(keyspace, more), options);
  expect(reply.status, reply.text).toBe(201);
  const { id, secret, owner_id: owner } = reply.body;
  return { id: String(id), secret: String(secret), owner: String(owner) };
}

/** A management key of its own, with these scopes. */
export async function manager(
  server: TestServer,
  scopes: readonly string[],
  options?: RequestOptions,
): Promise<string> {
  return (await issue(server, 'keyswarm', { scopes }, options)).secret;
}

/**
 * The same verification by the short way and through the framework, which a parameter of the media type asks for:
 * they have to answer alike, to the byte.
 */
export async function verify(
  server: TestServer,
  body: unknown,
  options: RequestOptions = {},
): Promise<Reply> {
  const short = await server.post('/v1/keys/verify', body, options);
  const headers = { 'content-type': 'application/json;charset=utf-8' };
  const framework = await server.post('/v1/keys/verify', body, { ...options, headers });
  expect(framework.status).toBe(short.status);
  expect(withoutRequestId(framework)).toBe(withoutRequestId(short));
  for (const header of ['content-type', 'cache-control', 'x-content-type-options', 'retry-after']) {
    expect(framework.headers.get(header), header).toBe(short.headers.get(header));
  }
  return short;
}

export function withoutRequestId(reply: Reply): string {
  return reply.text.replace(/"request_id":"[^"]*"/, '');
}

export async function verdictOf(server: TestServer, key: string, more: object = {}): Promise<string> {
  const reply = await verify(server, { key, ...more });
  expect(reply.status, reply.text).toBe(200);
  return String(reply.body.code);
}

/** A new workspace, and its first management key. */
export async function makeWorkspace(server: TestServer): Promise<string> {
  const reply = await server.post('/v1/workspaces', { name: freshName('tenant') });
  expect(reply.status, reply.text).toBe(201);
  return String((reply.body.management_key as { secret: unknown }).secret);
}

/** The refusal in a word and a place: what nearly every test of one looks at. */
export function problemOf(reply: Reply): object {
  const { code, field, status } = reply.body;
  expect(reply.headers.get('content-type')).toContain('application/problem+json');
  expect(status).toBe(reply.status);
  return field === undefined ? { status, code } : { status, code, field };
}

/** The problem of a request that is refused, and the proof that it changed nothing. */
export async function refused(server: TestServer, send: () => Promise<Reply>): Promise<object> {
  const before = await server.changes();
  const reply = await send();
  expect(await server.changes(), 'a refused request changes nothing').toBe(before);
  return problemOf(reply);
}

/** All that a workspace's feed holds, as text. A page looks through a bounded part, so the cursor is followed to its end. */
export async function allEvents(server: TestServer, key: string): Promise<string> {
  let text = '';
  let cursor = '';
  for (;;) {
    const page = await server.get(`/v1/events?limit=200${cursor === '' ? '' : `&after=${cursor}`}`, { key });
    text += page.text;
    const next = String(page.body.next_cursor);
    if (next === cursor) return text;
    cursor = next;
  }
}

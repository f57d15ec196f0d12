import { type ApprovalId, type DocumentId, type JsonObject, parseId, uuidHexOf } from '@keyswarm/core';
import type { ServerConfig } from '../../config/config-schema.ts';
import { configWith } from '../../config/load-config.ts';
import { createLog } from '../../logging/log.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { Statement, Store } from '../../storage/store.ts';
import { mintBootstrapKey } from '../../workspaces/bootstrap.ts';
import { startServer } from '../start-server.ts';

/*
 * A whole server for tests, over a real socket and a real store, and a client that adds nothing to what is sent:
 * a suite about bad input has to be able to send it.
 */

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as parsed; throws if it isn't JSON. */
  readonly body: Record<string, unknown>;
}

export interface RequestOptions {
  /** The management key; null: none. Absent: the root key. */
  readonly key?: string | null;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestServer {
  readonly url: string;
  readonly rootKey: string;
  readonly log: () => string;
  call(method: string, path: string, options?: RequestOptions): Promise<Reply>;
  post(path: string, body?: unknown, options?: RequestOptions): Promise<Reply>;
  get(path: string, options?: RequestOptions): Promise<Reply>;
  /** The key is to be renewed from now on, as if a campaign had asked for it. */
  openWindow(keyId: string): Promise<void>;
  /** Its versions were minted an hour sooner than they were, as far as the store knows. */
  age(keyId: string): Promise<void>;
  /** Changes so far: the sum of the feed heads. */
  changes(): Promise<number>;
  readonly store: Store;
  /** Writes over the body of a document, as nothing but a test does. */
  setBody(id: DocumentId, body: JsonObject): Promise<void>;
  /** Lets the time of a request for approval be over, which nobody waits for. */
  endWait(approvalId: string): Promise<void>;
  close(): Promise<void>;
}

export interface TestServerOptions {
  readonly store: Store;
  readonly config?: Partial<ServerConfig>;
}

const sumOfHeads: Statement = { name: '', text: 'select sum(seq)::bigint as total from feed_heads' };
const writeOverBody: Statement = {
  name: '',
  text: 'update documents set body = $2::jsonb where id = $1::uuid',
};
const endOfWait: Statement = {
  name: '',
  text: `update documents set body = jsonb_set(body, '{waits_until_ms}', '1') where id = $1::uuid`,
};
const openWindowStatement: Statement = {
  name: '',
  text: `update keys set traits = coalesce(traits, '{}'::jsonb) || '{"renew_after_ms":1}'::jsonb where id = $1::uuid`,
};
const ageStatement: Statement = {
  name: '',
  text: `update key_versions set minted_at = minted_at - interval '1 hour' where key_id = $1::uuid`,
};
/** `iss` of its tokens: where it really listens is known too late to stand in one. */
export const publicUrl = 'https://keys.example';
const masterKey = Buffer.alloc(32, 7).toString('base64');

export async function startTestServer({ store, config }: TestServerOptions): Promise<TestServer> {
  const rootKey = mintBootstrapKey(systemRandom).reveal();
  const lines: string[] = [];
  const log = createLog('debug', { write: (line) => void lines.push(line) });
  // Jobs only where a suite is about them: most servers of the tests live for a second.
  const settings = configWith({
    port: 0,
    publicUrl,
    masterKey,
    bootstrapKey: rootKey,
    workflows: false,
    ...config,
  });
  const server = await startServer(settings, { log, store, showFirstKey: () => {} });
  const call: TestServer['call'] = (method, path, options = {}) =>
    send(server.url, method, path, { key: rootKey, ...options });
  return {
    url: server.url,
    rootKey,
    log: () => lines.join(''),
    call,
    post: (path, body, options) =>
      call('POST', path, { ...options, ...(body === undefined ? {} : { body }) }),
    get: (path, options) => call('GET', path, options),
    openWindow: async (keyId) => void (await store.query(openWindowStatement, [uuidOf(keyId)])),
    age: async (keyId) => void (await store.query(ageStatement, [uuidOf(keyId)])),
    changes: async () => Number((await store.query<{ total: number }>(sumOfHeads))[0]?.total),
    store,
    async setBody(id, body) {
      await store.query(writeOverBody, [uuidHexOf(id), JSON.stringify(body)]);
    },
    async endWait(id) {
      await store.query(endOfWait, [uuidHexOf(id as ApprovalId)]);
    },
    close: () => server.close(),
  };
}

function uuidOf(keyId: string): string {
  const id = parseId('key', keyId);
  if (id === undefined) throw new Error(`${keyId} is not the id of a key`);
  return uuidHexOf(id);
}

async function send(url: string, method: string, path: string, options: RequestOptions): Promise<Reply> {
  const { key, body, headers } = options;
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: bodyOf(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    get body() {
      return JSON.parse(text) as Record<string, unknown>;
    },
  };
}

function bodyOf(body: unknown): string | Uint8Array<ArrayBuffer> {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
}

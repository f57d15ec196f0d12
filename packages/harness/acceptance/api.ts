import type { ServerProcess } from './server-process.ts';

/*
 * The raw wire, on purpose without the SDK: what is proved here must hold for someone with curl.
 */

export interface Reply {
  readonly status: number;
  // The shapes under test are read member by member by the caller, who checks what it reads.
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Api {
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Reply>;
}

/** Calls `server` as the holder of `managementKey`. Throws only when no reply came at all. */
export function apiOf(server: Pick<ServerProcess, 'url'>, managementKey: string): Api {
  return {
    async call(method, path, body, headers = {}) {
      const response = await fetch(server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${managementKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Reply['body'] };
    },
  };
}

export interface IssuedKey {
  readonly id: string;
  readonly secret: string;
}

export function issuedOf(value: unknown): IssuedKey {
  const { id, secret } = value as { id?: unknown; secret?: unknown };
  if (typeof id !== 'string' || typeof secret !== 'string') {
    throw new Error(`not an issued key: ${Object.keys(value as object).join(',')}`);
  }
  return { id, secret };
}

export function resultsOf(reply: Reply): readonly unknown[] {
  const results = reply.body.results;
  if (reply.status !== 200 || !Array.isArray(results)) {
    throw new Error(`no results: ${reply.status} ${JSON.stringify(reply.body).slice(0, 300)}`);
  }
  return results;
}

/** The verdict code of every secret, in order, by bulk calls. */
export async function verdictsOf(
  api: Api,
  secrets: readonly string[],
  keyspace: string,
  chunkKeys = 1000,
): Promise<readonly string[]> {
  const codes: string[] = [];
  for (let from = 0; from < secrets.length; from += chunkKeys) {
    const keys = secrets.slice(from, from + chunkKeys).map((key) => ({ key, keyspace }));
    const reply = await api.call('POST', '/v1/keys/verify/bulk', { keys });
    for (const verdict of resultsOf(reply)) codes.push(String((verdict as { code?: unknown }).code));
  }
  return codes;
}

/** Runs `work` for each item, `concurrency` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      const item = items[index];
      if (item !== undefined) await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

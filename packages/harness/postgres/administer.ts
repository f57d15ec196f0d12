import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';

const readyTimeoutMs = 60_000;

/** Makes a database from the empty template, and gives its URL. */
export async function createDatabaseOn(
  url: string,
  name = `keyswarm_${randomBytes(8).toString('hex')}`,
): Promise<string> {
  await run(url, `create database ${escapeIdentifier(name)} template template0`);
  const databaseUrl = new URL(url);
  databaseUrl.pathname = `/${encodeURIComponent(name)}`;
  return databaseUrl.href;
}

export async function dropDatabaseOn(url: string, databaseUrl: string): Promise<void> {
  const name = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  await run(url, `drop database if exists ${escapeIdentifier(name)} with (force)`);
}

/** Undefined once the server takes a connection; the last refusal when it doesn't in a minute. */
export async function waitUntilReady(url: string): Promise<Error | undefined> {
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    try {
      await run(url, 'select 1');
      return undefined;
    } catch (error) {
      if (performance.now() > deadline) return error instanceof Error ? error : new Error(String(error));
      await sleep(25);
    }
  }
}

async function run(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // The server may go away at any moment; whoever asked hears of it from the call.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end();
  }
}

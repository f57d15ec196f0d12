import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import pg from 'pg';
import { createClient } from 'redis';

/*
 * What one would write in an afternoon: `node:http` reads a JSON body, hashes the key, looks the hash up in a store, and
 * checks what it finds: keyspace, scope, expiry, revocation. The store is Redis (GET) or PostgreSQL (one prepared
 * SELECT by primary key). No management key is asked for, and no lease is kept.
 */

const [{ store, url, records }] = await once(process, 'message');
const look = await (store === 'redis' ? openRedis(url, records) : openPostgres(url, records));

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    answer(chunks, response).catch((error) => send(response, 500, { code: String(error) }));
  });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());

async function answer(chunks, response) {
  const { key, keyspace, scopes } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const record = await look(hashOf(key));
  send(response, 200, verdictOf(record, { keyspace, scopes }));
}

function verdictOf(record, { keyspace, scopes }) {
  if (record === undefined) return { valid: false, code: 'unknown' };
  if (record.revoked) return { valid: false, code: 'revoked' };
  if (record.expiresAtMs <= Date.now()) return { valid: false, code: 'expired' };
  if (record.keyspace !== keyspace) return { valid: false, code: 'wrong_keyspace' };
  if (!scopes.every((scope) => record.scopes.includes(scope)))
    return { valid: false, code: 'insufficient_scope' };
  const { id, owner, expiresAtMs } = record;
  return { valid: true, code: 'valid', key_id: id, owner, scopes: record.scopes, expires_at: expiresAtMs };
}

function send(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function hashOf(key) {
  return createHash('sha256').update(key).digest('hex');
}

async function openRedis(url, all) {
  const client = createClient({ url });
  await client.connect();
  for (const { key, ...record } of all) await client.set(`key:${hashOf(key)}`, JSON.stringify(record));
  return async (hash) => {
    const text = await client.get(`key:${hash}`);
    return text === null ? undefined : JSON.parse(text);
  };
}

async function openPostgres(connectionString, all) {
  const pool = new pg.Pool({ connectionString, max: 16 });
  await pool.query(
    'create table lookup (hash bytea primary key, id text, owner text, keyspace text, scopes text[], expires_at_ms bigint, revoked boolean)',
  );
  for (const { key, id, owner, keyspace, scopes, expiresAtMs, revoked } of all) {
    await pool.query('insert into lookup values ($1, $2, $3, $4, $5, $6, $7)', [
      Buffer.from(hashOf(key), 'hex'),
      id,
      owner,
      keyspace,
      scopes,
      expiresAtMs,
      revoked,
    ]);
  }
  await pool.query('analyze lookup');
  const text = 'select id, owner, keyspace, scopes, expires_at_ms, revoked from lookup where hash = $1';
  return async (hash) => {
    const { rows } = await pool.query({ name: 'lookup', text, values: [Buffer.from(hash, 'hex')] });
    const row = rows[0];
    return row === undefined ? undefined : { ...row, expiresAtMs: Number(row.expires_at_ms) };
  };
}

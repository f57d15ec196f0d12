import { Client, Pool, types } from 'pg';

/*
 * The peers of issuance: the very rows that our own run left in the store, read back and written again into an
 * empty copy of the same schema, straight over `pg` with prepared statements. The peers do less than we do (no
 * HTTP, no minting and hashing, no head row, no idempotency), so a ratio against them is a floor, not a duel.
 */

interface Column {
  readonly name: string;
  readonly type: string;
}

interface TableRows {
  readonly table: string;
  readonly columns: readonly Column[];
  /** Text as PostgreSQL prints it, one array a row. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Row `i` of every table belongs to key `i`. */
export interface RawRows {
  readonly keys: number;
  readonly tables: readonly TableRows[];
}

const columnsOf: Readonly<Record<string, readonly Column[]>> = {
  keys: [
    ['shard', 'smallint'],
    ['id', 'uuid'],
    ['workspace_id', 'uuid'],
    ['keyspace_id', 'uuid'],
    ['owner_id', 'uuid'],
    ['name', 'text'],
    ['scopes', 'text[]'],
    ['metadata', 'jsonb'],
    ['state', 'text'],
    ['not_before', 'timestamptz'],
    ['expires_at', 'timestamptz'],
    ['created_at', 'timestamptz'],
    ['revision', 'integer'],
  ].map(toColumn),
  key_versions: [
    ['shard', 'smallint'],
    ['key_id', 'uuid'],
    ['number', 'integer'],
    ['fingerprint', 'bytea'],
    ['state', 'text'],
    ['minted_at', 'timestamptz'],
    ['retires_at', 'timestamptz'],
  ].map(toColumn),
  feed: [
    ['shard', 'smallint'],
    ['seq', 'bigint'],
    ['day', 'date'],
    ['at', 'timestamptz'],
    ['workspace_id', 'uuid'],
    ['type', 'text'],
    ['body', 'json'],
  ].map(toColumn),
  audit: [
    ['shard', 'smallint'],
    ['seq', 'bigint'],
    ['body', 'text'],
    ['hash', 'bytea'],
  ].map(toColumn),
};

/** In one order for every table: keys were issued once and never changed, so each has one row in each table. */
const selectOf: Readonly<Record<string, string>> = {
  keys: 'from keys t where keyspace_id = $1 order by t.shard, t.id limit $2',
  key_versions:
    'from key_versions t join keys k on k.shard = t.shard and k.id = t.key_id where k.keyspace_id = $1 order by t.shard, t.key_id limit $2',
  feed: "from feed t where type = 'key.issued' and body->'keyspace'->>'id' = $1 order by t.shard, t.seq limit $2",
  audit:
    "from audit t join feed f on f.shard = t.shard and f.seq = t.seq where f.type = 'key.issued' and f.body->'keyspace'->>'id' = $1 order by t.shard, t.seq limit $2",
};

function toColumn(pair: readonly string[]): Column {
  const [name = '', type = ''] = pair;
  return { name, type };
}

/** Reads up to `limit` keys of a keyspace with all their rows. `keyspace` is its uuid and its public id. */
export async function readRawRows(
  url: string,
  keyspace: { readonly uuid: string; readonly id: string },
  limit: number,
): Promise<RawRows> {
  const client = new Client({
    connectionString: url,
    types: { getTypeParser: () => types.getTypeParser(types.builtins.TEXT) },
  });
  await client.connect();
  try {
    const tables: TableRows[] = [];
    for (const [table, columns] of Object.entries(columnsOf)) {
      const list = columns.map(({ name }) => `t.${name}`).join(', ');
      const ofKeyspace = table === 'feed' || table === 'audit' ? keyspace.id : keyspace.uuid;
      const { rows } = await client.query<(string | null)[]>({
        text: `select ${list} ${selectOf[table]}`,
        values: [ofKeyspace, limit],
        rowMode: 'array',
      });
      tables.push({ table, columns, rows });
    }
    const keys = Math.min(...tables.map(({ rows }) => rows.length));
    if (keys === 0) throw new Error('there are no rows to write again');
    return { keys, tables };
  } finally {
    await client.end();
  }
}

export interface RawWriteOptions {
  readonly url: string;
  readonly rows: RawRows;
  /** Transactions under way at once, each on a connection of its own. */
  readonly concurrency: number;
  /** Keys in a transaction: 1 for the peer of single issuance. */
  readonly keysPerTransaction: number;
  /** Stop after this long, or when every row is written. */
  readonly secondsMax: number;
}

/** Keys written and committed a second. */
export async function writeRawRows(options: RawWriteOptions): Promise<number> {
  const pool = new Pool({ connectionString: options.url, max: options.concurrency });
  const statements = options.rows.tables.map((table) => insertOf(table, options.keysPerTransaction));
  let next = 0;
  let written = 0;
  const began = performance.now();
  const until = began + options.secondsMax * 1000;
  const lane = async (): Promise<void> => {
    const client = await pool.connect();
    try {
      while (next + options.keysPerTransaction <= options.rows.keys && performance.now() < until) {
        const from = next;
        next += options.keysPerTransaction;
        await client.query('begin');
        for (const { name, text, params } of statements) {
          await client.query({ name, text, values: params(from, from + options.keysPerTransaction) });
        }
        await client.query('commit');
        written += options.keysPerTransaction;
      }
    } finally {
      client.release();
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, lane));
  const seconds = (performance.now() - began) / 1000;
  await pool.end();
  return written / seconds;
}

interface Insert {
  readonly name: string;
  readonly text: string;
  params(from: number, to: number): unknown[];
}

function insertOf({ table, columns, rows }: TableRows, keysPerTransaction: number): Insert {
  const names = columns.map(({ name }) => name).join(', ');
  if (keysPerTransaction === 1) {
    const values = columns.map(({ type }, index) => `$${index + 1}::${type}`).join(', ');
    return {
      name: `raw_one_${table}`,
      text: `insert into ${table} (${names}) values (${values})`,
      params: (from) => [...(rows[from] ?? [])],
    };
  }
  // A text[] column travels as its literal: unnest would flatten an array of arrays.
  const arrays = columns
    .map(({ type }, index) => `$${index + 1}::${type === 'text[]' ? 'text' : type}[]`)
    .join(', ');
  const picked = columns.map(({ type }, index) => `c${index}::${type}`).join(', ');
  const aliases = columns.map((_, index) => `c${index}`).join(', ');
  return {
    name: `raw_many_${table}`,
    text: `insert into ${table} (${names}) select ${picked} from unnest(${arrays}) as rows(${aliases})`,
    params: (from, to) => columns.map((_, index) => rows.slice(from, to).map((row) => row[index] ?? null)),
  };
}

import { assert } from '@keyswarm/core';
import type { PoolClient } from 'pg';
import type { Statement } from '../store.ts';
import { encodeParams } from '../wire/encode-param.ts';

export interface StatementResult<R> {
  readonly rows: readonly R[];
  /** The command tag's first word: `SELECT`, `COMMIT`, `ROLLBACK`. */
  readonly command: string;
}

/** Sends one statement and gives its answer, or throws the driver's error. */
export async function runStatement<R extends object>(
  client: PoolClient,
  statement: Statement,
  params: readonly unknown[] = [],
): Promise<StatementResult<R>> {
  const answer: unknown = await client.query({
    text: statement.text,
    values: encodeParams(params),
    ...(statement.name === '' ? {} : { name: statement.name }),
    ...(statement.timeoutMs === undefined ? {} : { query_timeout: statement.timeoutMs }),
  });
  // A text of several statements is answered by a list, one result each.
  if (!Array.isArray(answer)) return answer as StatementResult<R>;
  const results = answer as readonly StatementResult<R>[];
  const last = results.at(-1);
  assert(last !== undefined, 'a text holds a statement');
  return statement.everyRow ? { ...last, rows: results.flatMap(({ rows }) => rows) } : last;
}

import type { TSchema } from 'typebox';
import type { AnyOperation } from '../operations/operation.ts';
import { operations } from '../operations/operations.ts';

/*
 * Where secrets stand in requests and replies, read off `x-secret` in the schemas: a new secret field is masked
 * in the logs from the day its schema is written, not from the day someone remembers to.
 *
 * Paths are in the notation of pino: `keys[*].key`.
 */

/** Headers that are never logged. An Idempotency-Key is one: the stored reply is encrypted under it. */
export const secretHeaders = Object.freeze([
  'authorization',
  'cookie',
  'idempotency-key',
  'proxy-authorization',
]);

/** Paths of the secrets below `schema`, relative to the value it describes. */
export function secretPathsOf(schema: TSchema): readonly string[] {
  const paths: string[] = [];
  collect(schema, '', paths);
  return paths;
}

/** Every secret path of every body and reply, each once, each below `bodyRoot` or `replyRoot`. */
export function redactionPaths(bodyRoot = 'body', replyRoot = 'reply'): readonly string[] {
  const paths = new Set<string>();
  for (const row of Object.values<AnyOperation>(operations)) {
    if (row.body !== undefined) for (const path of secretPathsOf(row.body)) paths.add(`${bodyRoot}.${path}`);
    for (const path of secretPathsOf(row.response.schema)) paths.add(`${replyRoot}.${path}`);
  }
  return [...paths].sort();
}

function collect(schema: unknown, path: string, paths: string[]): void {
  if (!isObject(schema)) return;
  if (schema['x-secret'] === true) paths.push(path);
  if (isObject(schema.properties)) {
    for (const [name, property] of Object.entries(schema.properties)) {
      collect(property, path === '' ? name : `${path}.${name}`, paths);
    }
  }
  if (schema.items !== undefined) collect(schema.items, `${path}[*]`, paths);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

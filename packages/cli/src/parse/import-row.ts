import type { KeyHash, KeyImport } from '@keyswarm/contract';
import { InputError } from '../input-error.ts';
import { parseCsvLine } from './csv.ts';
import { parseDurationSeconds } from './duration.ts';
import { parseOwnerName } from './owner-name.ts';

/*
 * A key to be imported, from one line of a file. Both kinds of file hold the same members:
 *
 *   hash         what the old system kept; required
 *   owner        kind:external-id
 *   keyspace     name or id
 *   scopes       a list in JSON; in CSV separated by blanks
 *   name, ttl (90d), expires_at, not_before
 *   metadata     an object in JSON; in CSV one column each, named metadata.<name>
 *
 * What a line leaves out is taken from the command's options. A member that isn't known is refused: a
 * misspelt `expires_at` would import keys that never expire.
 */

export interface ImportDefaults {
  readonly format: KeyHash['format'];
  readonly keyspace: string | undefined;
  readonly owner: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly ttl: string | undefined;
}

export interface RowText {
  /** From 1, as an editor counts. */
  readonly number: number;
  readonly text: string;
}

type Members = Readonly<Record<string, unknown>>;

const texts = ['hash', 'owner', 'keyspace', 'name', 'ttl', 'expires_at', 'not_before'] as const;
const known: readonly string[] = [...texts, 'scopes', 'metadata'];

/** Makes the reader of a file's lines. The first line of a CSV names the columns and yields nothing. */
export function importRowReader(
  kind: 'ndjson' | 'csv',
  defaults: ImportDefaults,
): (row: RowText) => KeyImport | undefined {
  if (kind === 'ndjson') return (row) => importOf(membersOfJson(row), row.number, defaults);
  let columns: readonly string[] | undefined;
  return (row) => {
    const cells = parseCsvLine(row.text);
    if (cells === undefined)
      throw refuse(row.number, 'its quotes do not close', 'CSV as in RFC 4180, one key a line');
    if (columns !== undefined)
      return importOf(membersOfCells(columns, cells, row.number), row.number, defaults);
    columns = cells.map((cell) => cell.trim());
    return undefined;
  };
}

function membersOfJson({ number, text }: RowText): Members {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw refuse(number, 'it is not JSON', 'one JSON object a line');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw refuse(number, 'it is not a JSON object', 'one JSON object a line');
  }
  return { ...parsed };
}

function membersOfCells(columns: readonly string[], cells: readonly string[], number: number): Members {
  if (cells.length !== columns.length) {
    throw refuse(number, `it has ${cells.length} cells`, `${columns.length}, as the first line has`);
  }
  const metadata: Record<string, string> = {};
  const members: Record<string, unknown> = {};
  for (const [index, column] of columns.entries()) {
    const cell = cells[index] ?? '';
    if (cell === '') continue;
    if (column.startsWith('metadata.')) metadata[column.slice('metadata.'.length)] = cell;
    else members[column] = column === 'scopes' ? cell.split(/\s+/).filter(Boolean) : cell;
  }
  return Object.keys(metadata).length === 0 ? members : { ...members, metadata };
}

function importOf(members: Members, number: number, defaults: ImportDefaults): KeyImport {
  const unknown = Object.keys(members).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw refuse(number, `${JSON.stringify(unknown)} is not known`, known.join(', '));
  for (const name of texts) {
    const value = members[name];
    if (value !== undefined && typeof value !== 'string') throw refuse(number, `${name} is not text`, 'text');
  }
  const text = (name: (typeof texts)[number]) => members[name] as string | undefined;
  const need = (name: 'hash' | 'owner' | 'keyspace', otherwise: string | undefined): string => {
    const value = text(name) ?? otherwise;
    if (value === undefined) throw refuse(number, `it has no ${name}`, `a ${name} here or as an option`);
    return value;
  };
  const ttl = text('ttl') ?? (text('expires_at') === undefined ? defaults.ttl : undefined);
  return {
    keyspace: need('keyspace', defaults.keyspace),
    owner: parseOwnerName(need('owner', defaults.owner), `line ${number}: owner`),
    scopes: scopesOf(members.scopes, number) ?? [...(defaults.scopes ?? [])],
    hash: { format: defaults.format, value: need('hash', undefined) },
    ...optional('name', text('name')),
    ...optional(
      'ttl_seconds',
      ttl === undefined ? undefined : parseDurationSeconds(ttl, `line ${number}: ttl`),
    ),
    ...optional('expires_at', text('expires_at')),
    ...optional('not_before', text('not_before')),
    ...optional('metadata', metadataOf(members.metadata, number)),
  };
}

function scopesOf(value: unknown, number: number): string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((scope) => typeof scope === 'string')) {
    throw refuse(number, 'scopes is not a list of texts', '["orders:read"]');
  }
  return value;
}

function metadataOf(value: unknown, number: number): Record<string, string> | undefined {
  if (value === undefined) return undefined;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || !Object.values(value).every((each) => typeof each === 'string')) {
    throw refuse(number, 'metadata is not an object of texts', '{"team":"billing"}');
  }
  return { ...value } as Record<string, string>;
}

function optional<Name extends string, T>(name: Name, value: T | undefined): { [N in Name]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: T };
}

/** Says the line and never shows it: it holds a hash that the table is searched by. */
function refuse(number: number, detail: string, expected: string): InputError {
  return new InputError('--file', `line ${number}: ${detail}`, expected);
}

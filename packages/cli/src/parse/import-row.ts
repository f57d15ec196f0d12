import type { KeyHash, KeyImport } from '@keyswarm/contract';
import { InputError } from '../input-error.ts';
import { parseCsvLine } from './csv.ts';
import { parseDurationSeconds } from './duration.ts';
import { parseInstant } from './instant.ts';
import { parseOwnerName } from './owner-name.ts';

/*
 * A key to be imported, from one line of a file. Both kinds of file hold the same members:
 *
 *   hash         what the old system kept; required
 *   owner        kind:external-id
 *   keyspace     name or id
 *   scopes       a list in JSON; in CSV separated by spaces
 *   name, ttl (90d), expires_at, not_before
 *   metadata     an object in JSON; in CSV one column each, named metadata.<name>
 *
 * What a line leaves out is taken from the command's options. A member that isn't known is refused: a
 * misspelt `expires_at` would import keys that never expire. `importHelp` tells people the same.
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
const metadataColumn = 'metadata.';
const knownColumns = [...texts, 'scopes', `${metadataColumn}<name>`];

/** What a file may hold, for `import --help`. */
export const importHelp = `
What a file may hold, as the columns of a CSV or the members of each line's JSON object:
  hash        what the old system kept, in the form that --format names; required
  owner       kind:external_id, such as service:billing; required, here or as --owner
  keyspace    its name or id; required, here or as --keyspace
  name        for people
  ttl         how long the key lives, such as 90d
  expires_at  when it ends, in place of ttl: RFC 3339, such as 2030-01-31T12:00:00Z
  not_before  when it begins, in the same form
  scopes      CSV: separated by a space; JSON: a list of texts
  metadata    CSV: a column for each entry, named metadata.<name>; JSON: an object of texts

The first line of a CSV names its columns. An empty cell is taken from the options. A name that is not known is refused.

keys.csv:
  hash,owner,scopes,expires_at,metadata.team
  9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08,service:billing,orders:read orders:write,2030-01-31T12:00:00Z,core

keys.ndjson:
  {"hash":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","owner":"service:billing","scopes":["orders:read"],"metadata":{"team":"core"}}
`;

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
    columns = columnsOf(cells, row.number);
    return undefined;
  };
}

/** A column under no name is left by spreadsheets: it is refused at the first cell that says something. */
function columnsOf(cells: readonly string[], number: number): readonly string[] {
  const columns = cells.map((cell) => cell.trim());
  const isKnown = (column: string) =>
    column === '' || column.startsWith(metadataColumn) || knownColumns.includes(column);
  const unknown = columns.find((column) => !isKnown(column));
  if (unknown === undefined) return columns;
  throw refuse(number, `${JSON.stringify(unknown)} is not known`, knownColumns.join(', '));
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
    if (column.startsWith(metadataColumn)) metadata[column.slice(metadataColumn.length)] = cell;
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
  const instant = (name: 'expires_at' | 'not_before') => {
    const value = text(name);
    return optional(name, value === undefined ? undefined : parseInstant(value, `line ${number}: ${name}`));
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
    ...instant('expires_at'),
    ...instant('not_before'),
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

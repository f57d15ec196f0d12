import { ConfigError } from './config-error.ts';
import type { ConfigInput } from './load-settings.ts';
import { fileNameOf, flagOf, type SettingsTable, variableOf } from './settings-table.ts';

/** A value as the operator gave it, and the name it was given under. */
export interface Given {
  readonly name: string;
  readonly value: unknown;
  /** Text comes from variables and flags and has to be parsed; members of the file have their own type. */
  readonly isText: boolean;
}

type Layer<Name> = ReadonlyMap<Name, Given>;

export function givenByVariables<Name extends string>(
  table: SettingsTable<Name>,
  { variables }: ConfigInput,
): Layer<Name> {
  const names = new Map(table.names.map((name) => [variableOf(name), name]));
  const layer = new Map<Name, Given>();
  for (const [variable, value] of Object.entries(variables)) {
    // An empty variable counts as absent: that is how a compose file says "not set".
    if (!variable.startsWith('KEYSWARM_') || value === undefined || value === '') continue;
    const name = names.get(variable);
    if (name !== undefined) layer.set(name, { name: variable, value, isText: true });
    else if (!table.foreignVariable.test(variable)) throw unknownName(table, variable, [...names.keys()]);
  }
  return layer;
}

export function givenByFlags<Name extends string>(
  table: SettingsTable<Name>,
  { flags }: ConfigInput,
): Layer<Name> {
  const names = new Map(table.names.map((name) => [flagOf(name), name]));
  const layer = new Map<Name, Given>();
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined || key === 'config') continue;
    const name = names.get(`--${key}`) ?? table.flagAliases[key];
    if (name === undefined) throw unknownName(table, `--${key}`, [...names.keys()]);
    layer.set(name, { name: `--${key}`, value: String(value), isText: true });
  }
  return layer;
}

export function givenByFile<Name extends string>(
  table: SettingsTable<Name>,
  { flags, variables, readFile }: ConfigInput,
): Layer<Name> {
  const asked = typeof flags.config === 'string' ? flags.config : variables.KEYSWARM_CONFIG;
  const path = asked || table.defaultFile;
  const text = readFile(path);
  if (text === undefined) {
    if (asked) throw new ConfigError('--config', 'a file that can be read', path);
    return new Map();
  }
  const names = new Map(table.names.map((name) => [fileNameOf(name), name]));
  const layer = new Map<Name, Given>();
  for (const [member, value] of Object.entries(parseObject(path, text))) {
    const name = names.get(member);
    if (name === undefined) throw unknownName(table, `${path}: ${member}`, [...names.keys()], member);
    layer.set(name, { name: `${path}: ${member}`, value, isText: false });
  }
  return layer;
}

function parseObject(path: string, text: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw new ConfigError(path, 'valid JSON');
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new ConfigError(path, 'one JSON object');
  }
  return parsed;
}

function unknownName(
  { explainedBy }: Pick<SettingsTable, 'explainedBy'>,
  shown: string,
  known: readonly string[],
  plain = shown,
): ConfigError {
  const near = known.find((name) => isNear(name, plain));
  return new ConfigError(
    shown,
    near ? `a known setting: did you mean ${near}?` : `a known setting (see ${explainedBy})`,
  );
}

/** One letter too many, too few or changed, or the same but for separators: what a tired operator types. */
function isNear(known: string, typed: string): boolean {
  const bare = (name: string) => name.replace(/[^a-z0-9]/gi, '').toLowerCase();
  const [a, b] = [bare(known), bare(typed)];
  if (a === b) return true;
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return Math.max(a.length, b.length) - start - end <= 2;
}

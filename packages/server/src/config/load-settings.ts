import { type Given, givenByFile, givenByFlags, givenByVariables } from './given.ts';
import { readSetting } from './read-setting.ts';
import type { Profile, SettingValue } from './setting.ts';
import type { SettingsTable } from './settings-table.ts';

/*
 * Where a setting comes from, the later winning: the default, the file (the table's own or `--config`),
 * `KEYSWARM_*` variables, flags. A name that isn't known is an error in every one of them: a misspelt security
 * setting that silently does nothing is worse than a process that doesn't start.
 */

export type SettingSource = 'default' | 'file' | 'variable' | 'flag';

export interface ConfigInput {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Flags as parsed, without the dashes: `{ 'data-dir': 'x' }`. `config` names the file. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** The text of a file, or undefined when there is none of that name. */
  readonly readFile: (path: string) => string | undefined;
}

/** What was given for one setting, and where; undefined when nothing was. */
export type Find<Name> = (name: Name) => readonly [SettingSource, Given] | undefined;

export interface LoadedSettings<Name extends string> {
  readonly values: Readonly<Record<Name, SettingValue>>;
  readonly sources: Readonly<Record<Name, SettingSource>>;
}

/** `chooseProfile` says which column of defaults holds; `profile` itself, where there is one, is its answer. */
export function loadSettings<Name extends string>(
  table: SettingsTable<Name>,
  input: ConfigInput,
  chooseProfile: (find: Find<Name>) => Profile,
): LoadedSettings<Name> {
  const layers: readonly (readonly [SettingSource, ReadonlyMap<Name, Given>])[] = [
    ['flag', givenByFlags(table, input)],
    ['variable', givenByVariables(table, input)],
    ['file', givenByFile(table, input)],
  ];
  const find: Find<Name> = (name) => {
    for (const [source, layer] of layers) {
      const given = layer.get(name);
      if (given !== undefined) return [source, given];
    }
    return undefined;
  };
  const profile = chooseProfile(find);
  const values: Partial<Record<Name, SettingValue>> = {};
  const sources: Partial<Record<Name, SettingSource>> = {};
  for (const name of table.names) {
    const found = find(name);
    const isFixed = found === undefined || name === 'profile';
    values[name] = isFixed
      ? table.settings[name]['x-default'][profile]
      : readSetting(table.settings[name], found[1]);
    sources[name] = found?.[0] ?? 'default';
  }
  return {
    values: Object.freeze(values) as Record<Name, SettingValue>,
    sources: sources as Record<Name, SettingSource>,
  };
}

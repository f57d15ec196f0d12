import { checkSafety } from './check-safety.ts';
import { ConfigError } from './config-error.ts';
import {
  fileNameOf,
  flagOf,
  type ServerConfig,
  type SettingName,
  settingNames,
  settings,
  variableOf,
} from './config-schema.ts';
import { type Given, givenByFile, givenByFlags, givenByVariables } from './given.ts';
import { readSetting } from './read-setting.ts';
import type { Profile, SettingValue } from './setting.ts';

/*
 * Where a setting comes from, the later winning: the profile's default, the file (`keyswarm.config.json` or
 * `--config`), `KEYSWARM_*` variables, flags. A name that isn't known is an error in every one of them: a
 * misspelt security setting that silently does nothing is worse than a server that doesn't start.
 */

export type SettingSource = 'default' | 'file' | 'variable' | 'flag';

export interface ConfigInput {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Flags as parsed, without the dashes: `{ 'data-dir': 'x' }`. `config` names the file. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** The text of a file, or undefined when there is none of that name. */
  readonly readFile: (path: string) => string | undefined;
}

export interface LoadedConfig {
  readonly config: ServerConfig;
  readonly sources: Readonly<Record<SettingName, SettingSource>>;
  /** Defaults that are insecure where this server stands; to be shouted once. */
  readonly shouts: readonly string[];
}

export const defaultConfigFile = 'keyswarm.config.json';

export function loadConfig(input: ConfigInput): LoadedConfig {
  const layers: readonly (readonly [SettingSource, ReadonlyMap<SettingName, Given>])[] = [
    ['flag', givenByFlags(input.flags)],
    ['variable', givenByVariables(input.variables)],
    ['file', givenByFile(input)],
  ];
  const find = (name: SettingName): readonly [SettingSource, Given] | undefined => {
    for (const [source, layer] of layers) {
      const given = layer.get(name);
      if (given !== undefined) return [source, given];
    }
    return undefined;
  };
  const profile = chooseProfile(find('profile')?.[1], find('databaseUrl') !== undefined);
  const values: Record<string, SettingValue> = {};
  const sources: Record<string, SettingSource> = {};
  for (const name of settingNames) {
    const found = name === 'profile' ? undefined : find(name);
    values[name] = found === undefined ? settings[name]['x-default'][profile] : readSetting(name, found[1]);
    sources[name] = (name === 'profile' ? find(name)?.[0] : found?.[0]) ?? 'default';
  }
  const config = Object.freeze(values) as unknown as ServerConfig;
  checkTogether(config);
  return {
    config,
    sources: sources as Record<SettingName, SettingSource>,
    shouts: checkSafety(config),
  };
}

/** A config for tests and embedding: the profile's defaults with some settings laid over them. */
export function configWith(overrides: Partial<ServerConfig>): ServerConfig {
  const profile = overrides.profile ?? (overrides.databaseUrl ? 'single' : 'embedded');
  const values: Record<string, SettingValue> = {};
  for (const name of settingNames) values[name] = overrides[name] ?? settings[name]['x-default'][profile];
  return Object.freeze(values) as unknown as ServerConfig;
}

function chooseProfile(given: Given | undefined, hasDatabase: boolean): Profile {
  if (given === undefined) return hasDatabase ? 'single' : 'embedded';
  return readSetting('profile', given) as Profile;
}

/** What no single field can say. */
function checkTogether(config: ServerConfig): void {
  const bothNames = (name: SettingName) => `${fileNameOf(name)} (${variableOf(name)}, ${flagOf(name)})`;
  if ((config.shards & (config.shards - 1)) !== 0) {
    throw new ConfigError(bothNames('shards'), 'a power of two', String(config.shards));
  }
  if (config.masterKey !== null && config.masterKeyFile !== null) {
    throw new ConfigError(
      bothNames('masterKeyFile'),
      'either a master key or a file that holds it, not both',
    );
  }
  if (config.profile === 'embedded' && config.databaseUrl !== null) {
    throw new ConfigError(
      bothNames('profile'),
      'single or cluster, since a database URL is given',
      'embedded',
    );
  }
  if (config.profile !== 'embedded' && config.databaseUrl === null) {
    throw new ConfigError(bothNames('databaseUrl'), `a PostgreSQL, since the profile is ${config.profile}`);
  }
  if (config.headersTimeoutMs > config.requestTimeoutMs) {
    throw new ConfigError(bothNames('headersTimeoutMs'), 'no more than request_timeout_ms');
  }
}

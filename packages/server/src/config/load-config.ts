import { checkSafety } from './check-safety.ts';
import { ConfigError } from './config-error.ts';
import {
  type ServerConfig,
  type SettingName,
  serverSettings,
  settingNames,
  settings,
} from './config-schema.ts';
import type { Given } from './given.ts';
import { type ConfigInput, loadSettings, type SettingSource } from './load-settings.ts';
import { readSetting } from './read-setting.ts';
import type { Profile, SettingValue } from './setting.ts';
import { namesOf } from './settings-table.ts';

export type { ConfigInput, SettingSource } from './load-settings.ts';

export interface LoadedConfig {
  readonly config: ServerConfig;
  readonly sources: Readonly<Record<SettingName, SettingSource>>;
  /** Defaults that are insecure where this server stands; to be shouted once. */
  readonly shouts: readonly string[];
}

export function loadConfig(input: ConfigInput): LoadedConfig {
  const { values, sources } = loadSettings(serverSettings, input, (find) =>
    chooseProfile(find('profile')?.[1], find('databaseUrl') !== undefined),
  );
  const config = values as unknown as ServerConfig;
  checkTogether(config);
  return { config, sources, shouts: checkSafety(config) };
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
  return readSetting(settings.profile, given) as Profile;
}

/** What no single field can say. */
function checkTogether(config: ServerConfig): void {
  if ((config.shards & (config.shards - 1)) !== 0) {
    throw new ConfigError(namesOf('shards'), 'a power of two', String(config.shards));
  }
  if (config.masterKey !== null && config.masterKeyFile !== null) {
    throw new ConfigError(namesOf('masterKeyFile'), 'either a master key or a file that holds it, not both');
  }
  if (config.profile === 'embedded' && config.databaseUrl !== null) {
    throw new ConfigError(namesOf('profile'), 'single or cluster, since a database URL is given', 'embedded');
  }
  if (config.profile !== 'embedded' && config.databaseUrl === null) {
    throw new ConfigError(namesOf('databaseUrl'), `a PostgreSQL, since the profile is ${config.profile}`);
  }
  if (config.workers > 1 && config.databaseUrl === null) {
    throw new ConfigError(
      namesOf('workers'),
      '1 with the embedded store, which has one process; workers share a database: set KEYSWARM_DATABASE_URL',
      String(config.workers),
    );
  }
  if (config.headersTimeoutMs > config.requestTimeoutMs) {
    throw new ConfigError(namesOf('headersTimeoutMs'), 'no more than request_timeout_ms');
  }
}

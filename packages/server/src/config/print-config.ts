import { serverSettings } from './config-schema.ts';
import type { LoadedConfig, SettingSource } from './load-config.ts';
import { profiles, type SettingSchema, type SettingValue } from './setting.ts';
import { fileNameOf, flagOf, type SettingsTable, variableOf } from './settings-table.ts';

/** `keyswarm config print`: what holds, where it comes from, secrets masked. One line a setting. */
export function printConfig({ config, sources }: LoadedConfig): string {
  return printSettings(serverSettings, config, sources);
}

/** `keyswarm config explain`: every setting, its three names, what it accepts and its default per profile. */
export function explainConfig(): string {
  return explainSettings(serverSettings);
}

export function printSettings<Name extends string>(
  { names, settings }: SettingsTable<Name>,
  values: Readonly<Record<Name, SettingValue>>,
  sources: Readonly<Record<Name, SettingSource>>,
): string {
  const rows = names.map((name) => {
    const value = values[name];
    const shown = value === null ? '-' : settings[name]['x-secret'] ? '[secret]' : String(value);
    return [fileNameOf(name), shown, sources[name]] as const;
  });
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  return rows
    .map(([name, value, source]) => `${name.padEnd(width(0))}  ${value.padEnd(width(1))}  ${source}\n`)
    .join('');
}

export function explainSettings<Name extends string>({ names, settings }: SettingsTable<Name>): string {
  return names
    .map((name) => {
      const schema = settings[name];
      return [
        `${fileNameOf(name)}`,
        `  ${schema.description}`,
        `  variable  ${variableOf(name)}`,
        `  flag      ${flagOf(name)}`,
        `  accepts   ${schema['x-expected']}`,
        `  default   ${defaultText(name, schema)}`,
        '',
      ].join('\n');
    })
    .join('\n');
}

/** The profile is what the other defaults go by; its own goes by whether a database is named. */
function defaultText(name: string, schema: SettingSchema): string {
  if (name === 'profile') return 'embedded, or single when a database is named';
  const byProfile = schema['x-default'];
  const isSame = new Set(profiles.map((profile) => byProfile[profile])).size === 1;
  if (isSame) return String(byProfile.embedded ?? '-');
  return `as the profile: ${profiles.map((profile) => `${profile} ${String(byProfile[profile] ?? '-')}`).join(', ')}`;
}

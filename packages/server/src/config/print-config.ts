import { fileNameOf, flagOf, settingNames, settings, variableOf } from './config-schema.ts';
import type { LoadedConfig } from './load-config.ts';
import { profiles } from './setting.ts';

/** `keyswarm config print`: what holds, where it comes from, secrets masked. One line a setting. */
export function printConfig({ config, sources }: LoadedConfig): string {
  const rows = settingNames.map((name) => {
    const value = config[name];
    const shown = value === null ? '-' : settings[name]['x-secret'] ? '[secret]' : String(value);
    return [fileNameOf(name), shown, sources[name]] as const;
  });
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  return rows
    .map(([name, value, source]) => `${name.padEnd(width(0))}  ${value.padEnd(width(1))}  ${source}\n`)
    .join('');
}

/** `keyswarm config explain`: every setting, its three names, what it accepts and its default per profile. */
export function explainConfig(): string {
  return settingNames
    .map((name) => {
      const schema = settings[name];
      const values = profiles.map((profile) => `${profile} ${String(schema['x-default'][profile] ?? '-')}`);
      const isSame = new Set(profiles.map((profile) => schema['x-default'][profile])).size === 1;
      return [
        `${fileNameOf(name)}`,
        `  ${schema.description}`,
        `  variable  ${variableOf(name)}`,
        `  flag      ${flagOf(name)}`,
        `  accepts   ${schema['x-expected']}`,
        `  default   ${isSame ? String(schema['x-default'].embedded ?? '-') : values.join(', ')}`,
        '',
      ].join('\n');
    })
    .join('\n');
}

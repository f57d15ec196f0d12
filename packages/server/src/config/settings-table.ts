import type { SettingSchema } from './setting.ts';

/*
 * The settings of one kind of process: the server, a verify-only node. The loader, the printer and the reference
 * pages read such a table and know no setting by name, so that every process takes its settings in the same way.
 */
export interface SettingsTable<Name extends string = string> {
  readonly settings: Readonly<Record<Name, SettingSchema>>;
  readonly names: readonly Name[];
  /** The file that is read unless another one is named. */
  readonly defaultFile: string;
  /** Where a person finds the names that are known. */
  readonly explainedBy: string;
  /** Variables that begin with KEYSWARM_ and belong to others. */
  readonly foreignVariable: RegExp;
  /** Other names of flags: a list of which one is given by its singular. */
  readonly flagAliases: Readonly<Record<string, Name>>;
}

/** `dataDir` → `data_dir`, as in the file. */
export function fileNameOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `dataDir` → `KEYSWARM_DATA_DIR`. */
export function variableOf(name: string): string {
  return `KEYSWARM_${fileNameOf(name).toUpperCase()}`;
}

/** `dataDir` → `--data-dir`. */
export function flagOf(name: string): string {
  return `--${fileNameOf(name).replaceAll('_', '-')}`;
}

/** All three names of a setting, for an error that no single one of them caused. */
export function namesOf(name: string): string {
  return `${fileNameOf(name)} (${variableOf(name)}, ${flagOf(name)})`;
}

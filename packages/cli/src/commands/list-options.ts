import type { Command } from 'commander';
import { parseWholeNumber } from '../parse/whole-number.ts';

export interface ListOptions {
  readonly limit: string;
  readonly all?: true;
}

/** Adds `--limit` and `--all`. */
export function withListOptions(command: Command): Command {
  return command
    .option('--limit <count>', 'how many to print', '50')
    .option('--all', 'print every one, however many there are');
}

export function itemsMaxOf({ limit, all }: ListOptions): number {
  return all ? Number.POSITIVE_INFINITY : parseWholeNumber(limit, '--limit', 1_000_000);
}

/** For options that may be given more than once: `--scope a --scope b`. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

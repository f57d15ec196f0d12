import { Fault, faultRegistry } from '@keyswarm/core';
import { KeyswarmError } from '@keyswarm/sdk';
import { type Command, CommanderError } from 'commander';
import { BulkFailure } from './bulk/run-chunks.ts';
import { type GlobalOptions, type Surroundings, urlAsGiven } from './context.ts';
import { fieldAsTyped } from './field-as-typed.ts';
import { InputError } from './input-error.ts';
import { exitPipeClosed } from './io/interrupt.ts';
import { count } from './io/progress.ts';
import { printable } from './io/table.ts';
import { openTerminal, PipeClosed } from './io/terminal.ts';
import { keyAsGiven } from './key-as-given.ts';
import { formatDurationMs } from './parse/duration.ts';
import { detailOf, remedyOf } from './unreachable.ts';

/** An error as it is told: what happened, where, what would have done, under which code. */
interface Told {
  readonly code: string;
  readonly detail: string;
  readonly field?: string | undefined;
  /** What was typed that the field came from. */
  readonly option?: string | undefined;
  readonly expected?: string | undefined;
  readonly request_id?: string | undefined;
  /** Of bulk work: what was done before it ended. */
  readonly done?: number;
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof BulkFailure) return exitCodeOf(error.cause);
  if (error instanceof KeyswarmError) return error.exitCode;
  if (error instanceof Fault) return faultRegistry[error.code].exit;
  if (error instanceof InputError || isConfigError(error)) return 2;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof PipeClosed) return exitPipeClosed;
  return 7;
}

/** Writes the error to stderr: for people, or as one line of JSON under `--json`. `command`: the one that failed. */
export function reportError(
  error: unknown,
  { options, command }: { readonly options: GlobalOptions; readonly command: Command | undefined },
  { stdout, stderr, variables }: Surroundings,
): void {
  const told = tell(error, { command, variables, url: urlAsGiven(options, variables) });
  if (told === undefined) return;
  const colour = options.color && stderr.isTTY === true && !variables.NO_COLOR;
  const terminal = openTerminal({ quiet: false, colour, stdout, stderr });
  if (options.json) terminal.warn(JSON.stringify({ error: told }));
  else terminal.warn(formatError(told, (text) => terminal.tone('red', text)));
}

export function formatError(told: Told, emphasise: (text: string) => string): string {
  const lines = [`${emphasise('error')} ${told.code}: ${printable(told.detail)}`];
  if (told.option) lines.push(`  option    ${printable(told.option)}`);
  else if (told.field) lines.push(`  field     ${printable(told.field)}`);
  if (told.expected) lines.push(`  expected  ${printable(told.expected)}`);
  if (told.request_id) lines.push(`  request   ${printable(told.request_id)}`);
  if (told.done !== undefined)
    lines.push(`  done      ${count(told.done)} before this; their results were printed`);
  return lines.join('\n');
}

/** What was typed, and where. */
interface Typed {
  readonly command: Command | undefined;
  readonly variables: Surroundings['variables'];
  readonly url: string;
}

function tell(error: unknown, typed: Typed): Told | undefined {
  if (error instanceof BulkFailure) {
    const told = tell(error.cause, typed);
    return told === undefined || error.done === 0 ? told : { ...told, done: error.done };
  }
  if (error instanceof PipeClosed) return undefined;
  if (error instanceof KeyswarmError || error instanceof Fault) return tellFault(error, typed);
  if (error instanceof InputError) {
    return { code: 'usage', detail: error.message, field: error.field, expected: error.expected };
  }
  if (isConfigError(error)) {
    return { code: 'config', detail: error.message };
  }
  return { code: 'internal', detail: error instanceof Error ? error.message : String(error) };
}

function tellFault(error: KeyswarmError | Fault, { command, variables, url }: Typed): Told {
  const { code, message: detail, field, expected } = error;
  if (code === 'unreachable') return { code, detail: detailOf(url, error), expected: remedyOf(url, error) };
  const requestId = error instanceof KeyswarmError ? error.requestId : undefined;
  const told = { code, detail, field, expected, request_id: requestId };
  if (field === undefined || command === undefined) return told;
  if (field === 'Authorization' && error instanceof KeyswarmError)
    return { ...told, ...keyAsGiven(error, command, variables) };
  return { ...told, ...fieldTold(field, command, expected) };
}

/** The API counts seconds; a person typed a duration, whose bounds stand in what the option says of itself. */
function fieldTold(field: string, command: Command, expected: string | undefined): Partial<Told> {
  const option = fieldAsTyped(field, command);
  const [, which, seconds] = /^(at least|at most) (\d+)$/.exec(expected ?? '') ?? [];
  if (option === undefined || seconds === undefined || !field.endsWith('_seconds')) return { option };
  const about = command.options.find(({ long }) => long === option)?.description;
  const bound = `${which} ${formatDurationMs(Number(seconds) * 1_000)}`;
  return { option, expected: about === undefined ? bound : `${bound}: ${about}` };
}

/** The server's own class stays behind its lazily loaded door, so it is known by its shape. */
function isConfigError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ConfigError' && 'setting' in error && 'expected' in error;
}

import { ConfigError } from '../config/config-error.ts';

/** An error on its way to another process: as much of it as whoever started the server is told. */
export interface CarriedError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly setting: { readonly name: string; readonly expected: string } | undefined;
}

export function carryError(error: unknown): CarriedError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: 'not an Error', code: undefined, setting: undefined };
  }
  const { code } = error as { readonly code?: unknown };
  return {
    name: error.name,
    message: error.message,
    code: typeof code === 'string' ? code : undefined,
    setting: error instanceof ConfigError ? { name: error.setting, expected: error.expected } : undefined,
  };
}

/** The same error to whoever asks by its class, its code or its text. */
export function revealError({ name, message, code, setting }: CarriedError): Error {
  if (setting !== undefined) {
    const error = new ConfigError(setting.name, setting.expected);
    // It may have said what it got; the words that were said are kept.
    error.message = message;
    return error;
  }
  const error = new Error(message);
  error.name = name;
  return code === undefined ? error : Object.assign(error, { code });
}

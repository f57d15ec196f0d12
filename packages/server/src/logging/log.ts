import { redactionPaths, secretHeaders } from '@keyswarm/contract';
import { findKeyString } from '@keyswarm/core';
import { type DestinationStream, type Logger, pino } from 'pino';

/** The log as the rooms use it: an object first, a sentence that never changes second. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

const withheld = '[withheld: it held a key string]';

/**
 * JSON lines on standard output. No room logs a body, a header or a URL; should one come along in an object all
 * the same, what the contract marks as secret is masked by its path, and a text in which a key string stands is
 * withheld whole. JSON escapes line breaks, so no caller can forge a line.
 */
export function createLog(
  level: string,
  destination?: DestinationStream,
  /** Stands in every line: what tells one process from another. */
  inEachLine: Readonly<Record<string, string | number>> = {},
): Log {
  const options = {
    level,
    base: { name: 'keyswarm', ...inEachLine },
    redact: {
      paths: [
        ...redactionPaths(),
        ...secretHeaders.flatMap((header) => [`headers["${header}"]`, `*.headers["${header}"]`]),
      ],
      censor: '[secret]',
    },
    serializers: { err: (error: unknown) => describeError(error, errorDepthMax) },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: {
      streamWrite: (line: string) =>
        findKeyString(line) ? `${JSON.stringify({ level: 'error', msg: withheld })}\n` : line,
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Causes that are told with an error. */
const errorDepthMax = 4;

/** Of an error its kind, its text and where it came from; not whatever else hangs on it, which may be a query's parameters. */
function describeError(error: unknown, depthLeft: number): unknown {
  if (!(error instanceof Error)) return { message: typeof error === 'string' ? error : 'not an Error' };
  const { code } = error as { readonly code?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    stack: error.stack,
    ...(error.cause === undefined || depthLeft === 0
      ? {}
      : { cause: describeError(error.cause, depthLeft - 1) }),
  };
}

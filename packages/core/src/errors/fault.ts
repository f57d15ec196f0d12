import { type FaultCode, faultRegistry } from './registry.ts';

export interface FaultDetails {
  /** What happened, for the caller: no secret, no internals. */
  readonly detail: string;
  /** JSON pointer or parameter name of the offending input. */
  readonly field?: string;
  /** What would have been accepted. */
  readonly expected?: string;
  readonly retryAfterMs?: number;
  /** Further public members of the problem document, such as `last_used_at`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one class of faults: something the caller asked for was refused, or could not be done now. Status,
 * retryability and exit code are read from the registry row of `code`; no handler picks a status by itself.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly field: string | undefined;
  readonly expected: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly extra: Readonly<Record<string, unknown>> | undefined;

  constructor(code: FaultCode, details: FaultDetails) {
    super(details.detail, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.field = details.field;
    this.expected = details.expected;
    this.retryAfterMs = details.retryAfterMs;
    this.extra = details.extra;
  }

  get retryable(): boolean {
    return faultRegistry[this.code].retryable;
  }
}

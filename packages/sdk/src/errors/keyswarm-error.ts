import type { OAuthOperationId, OperationId } from '@keyswarm/contract/routes';
import { type FaultCode, faultRegistry, isFaultCode } from '@keyswarm/core';

interface ClientFaultRow {
  readonly retryable: boolean;
  /** Exit code of a command line: the same classes as in the registry of faults. */
  readonly exit: number;
}

/** What can go wrong without the server having said so. */
export const clientFaults = Object.freeze({
  /** No answer: refused, reset, or cut off. Whether the server acted is not known. */
  unreachable: { retryable: true, exit: 6 },
  /** No answer within `timeoutMs`. Whether the server acted is not known. */
  timeout: { retryable: true, exit: 6 },
  /** An answer that is not of this API: not JSON, not the promised shape, or a page of some proxy. */
  bad_reply: { retryable: false, exit: 7 },
  /** A refusal in the words of OAuth: the one of RFC 6749 is in `extra.error`. */
  token_refused: { retryable: false, exit: 4 },
} satisfies Record<string, ClientFaultRow>);

export type ClientFaultCode = keyof typeof clientFaults;
export type ErrorCode = FaultCode | ClientFaultCode;

export interface KeyswarmErrorDetails {
  readonly detail: string;
  readonly operationId: OperationId | OAuthOperationId;
  readonly status?: number | undefined;
  readonly field?: string | undefined;
  readonly expected?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Overrides what the code says: a proxy's 502 is a `bad_reply` that may pass. */
  readonly retryable?: boolean | undefined;
  /** Further members of the problem document, such as `last_used_at`. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/**
 * What every call of the client throws, but for an abort by the caller, which throws the signal's reason. The
 * codes are those of the server's faults, and those of the client's own. Nothing in it holds the management key:
 * it can be logged as it is.
 */
export class KeyswarmError extends Error {
  override readonly name = 'KeyswarmError';
  readonly code: ErrorCode;
  readonly detail: string;
  readonly operationId: OperationId | OAuthOperationId;
  /** Of the HTTP reply; undefined when there was none. */
  readonly status: number | undefined;
  readonly field: string | undefined;
  readonly expected: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** May the same call succeed later, unchanged? */
  readonly retryable: boolean;
  readonly extra: Readonly<Record<string, unknown>>;
  /** How often the request was sent before this was thrown. */
  attempts = 1;

  constructor(code: ErrorCode, details: KeyswarmErrorDetails) {
    super(details.detail, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.detail = details.detail;
    this.operationId = details.operationId;
    this.status = details.status;
    this.field = details.field;
    this.expected = details.expected;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.retryable = details.retryable ?? rowOf(code).retryable;
    this.extra = details.extra ?? {};
  }

  /** For command lines: 2 input, 3 not found, 4 not allowed, 5 conflict, 6 try again later, 7 fault of the server. */
  get exitCode(): number {
    return this.code === 'token_refused' && this.retryable
      ? clientFaults.unreachable.exit
      : rowOf(this.code).exit;
  }

  /** Did the server refuse for certain, so that nothing was changed? */
  get nothingChanged(): boolean {
    return isFaultCode(this.code) && this.code !== 'outcome_unknown' && this.code !== 'internal';
  }
}

export function isKeyswarmError(error: unknown, code?: ErrorCode): error is KeyswarmError {
  return error instanceof KeyswarmError && (code === undefined || error.code === code);
}

function rowOf(code: ErrorCode): ClientFaultRow {
  return isFaultCode(code) ? faultRegistry[code] : clientFaults[code];
}

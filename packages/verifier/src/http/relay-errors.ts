/*
 * Why a relay gave nothing. Classes, because each asks for another answer: a refusal stands until somebody changes
 * something, a busy relay names its own pause, what is gone needs a snapshot, and all the rest is tried elsewhere
 * and again. None of them carries a header, a body or a URL with its query: a credential can't be in them.
 */

export abstract class RelayError extends Error {
  /** Of the relay, without path and query. */
  readonly origin: string;

  constructor(origin: string, message: string, options?: ErrorOptions) {
    super(`${origin}: ${message}`, options);
    this.origin = origin;
  }
}

/** 401, 403, 404: the credential isn't known, may not read the feed, or not this keyspace. Final until it changes. */
export class RelayRefused extends RelayError {
  override readonly name = 'RelayRefused';
  readonly status: number;
  /** `code` of the problem document, when there was one. */
  readonly code: string | undefined;

  constructor(origin: string, status: number, code?: string) {
    super(origin, `refused with ${status}${code === undefined ? '' : ` ${code}`}: ${remedies[status] ?? ''}`);
    this.status = status;
    this.code = code;
  }
}

const remedies: Readonly<Record<number, string>> = {
  401: 'the credential is not accepted (wrong, expired or revoked)',
  403: 'the credential lacks the scope feed:read for what was asked',
  404: 'a keyspace that was asked for does not exist for this credential, or this is no relay',
};

/** 503, 429: later. */
export class RelayBusy extends RelayError {
  override readonly name = 'RelayBusy';
  /** What it asked for; undefined: it named no time. */
  readonly retryAfterMs: number | undefined;

  constructor(origin: string, status: number, retryAfterMs: number | undefined) {
    super(origin, `busy, answered ${status}`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** 410: the relay holds no rows that far back. */
export class RelayGone extends RelayError {
  override readonly name = 'RelayGone';

  constructor(origin: string) {
    super(origin, 'does not hold the feed from there on any more');
  }
}

/** No connection, cut off, too late, or silent. */
export class RelayUnreachable extends RelayError {
  override readonly name = 'RelayUnreachable';
}

/** A status that no relay answers with: a redirect (never followed), 500, a proxy's page. */
export class RelayFailed extends RelayError {
  override readonly name = 'RelayFailed';
  readonly status: number;

  constructor(origin: string, status: number) {
    super(origin, `answered ${status}`);
    this.status = status;
  }
}

/** The answer can't be what a relay says. The message names a member, never a value. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

import type { Fault } from './fault.ts';
import { type FaultCode, faultRegistry } from './registry.ts';

/** A fault on the wire: RFC 9457, `application/problem+json`. `extra` members stand beside these. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: FaultCode;
  readonly field?: string;
  readonly expected?: string;
  readonly request_id: string;
  readonly [extra: string]: unknown;
}

/**
 * The one place where a fault becomes a document. Further members come first, so that a fault can add to the
 * document but never pass for another status or code than its registry row says. `cause` stays inside.
 */
export function toProblem(fault: Fault, requestId: string): Problem {
  const row = faultRegistry[fault.code];
  return {
    ...fault.extra,
    type: problemType(fault.code),
    title: row.title,
    status: row.status,
    detail: fault.message,
    code: fault.code,
    ...(fault.field === undefined ? {} : { field: fault.field }),
    ...(fault.expected === undefined ? {} : { expected: fault.expected }),
    request_id: requestId,
  };
}

/** The URI of a kind of problem: stable, and not meant to be fetched (RFC 9457, section 3.1.1). */
export function problemType(code: FaultCode): string {
  return `urn:keyswarm:problem:${code}`;
}

/** For whoever reads a problem: is this a code that this version knows? */
export function isFaultCode(text: unknown): text is FaultCode {
  return typeof text === 'string' && Object.hasOwn(faultRegistry, text);
}

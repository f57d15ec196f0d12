import type { OperationId, ReplyOf } from '@keyswarm/contract';
import { KeyswarmError } from '../errors/keyswarm-error.ts';
import { buildRequest, type CallInput, type PreparedRequest } from './build-request.ts';
import { pauseBeforeRetryMs, type RetryBudget, type RetryPolicy } from './retry-policy.ts';
import { type AttemptContext, sendAttempt } from './send-attempt.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** For a POST that changes something: the caller's own, so that it may be repeated across restarts. */
  readonly idempotencyKey?: string | undefined;
  /** Of one attempt. */
  readonly timeoutMs?: number | undefined;
  /** Of the whole call, pauses included. */
  readonly deadlineMs?: number | undefined;
  /** Including the first; 1: never again. */
  readonly attemptsMax?: number | undefined;
}

/** What all calls of one client share. */
export interface CallContext extends AttemptContext {
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly policy: RetryPolicy;
  readonly budget: RetryBudget;
}

/**
 * Calls an operation: sends it, and again as the policy allows, always with the same body and the same
 * Idempotency-Key. Throws the error of the last attempt.
 */
export async function callOperation<Id extends OperationId>(
  context: CallContext,
  operationId: Id,
  input: CallInput<Id>,
  options: CallOptions & { readonly alsoStatus?: number } = {},
): Promise<ReplyOf<Id>> {
  const request = buildRequest(
    {
      baseUrl: context.baseUrl,
      idempotencyKey: options.idempotencyKey,
      newIdempotencyKey: context.runtime.newIdempotencyKey,
    },
    operationId,
    input,
  );
  // The reply is a JSON object; its shape is the server's promise, checked further where safety hangs on it.
  return (await sendUntilDone(context, request, options)) as ReplyOf<Id>;
}

/** The attempts of one call, and the pauses between them. */
export async function sendUntilDone(
  context: CallContext,
  request: PreparedRequest,
  options: CallOptions & { readonly alsoStatus?: number },
): Promise<unknown> {
  const { runtime, budget } = context;
  const policy = { ...context.policy, attemptsMax: options.attemptsMax ?? context.policy.attemptsMax };
  const endMs = runtime.monotonicMs() + (options.deadlineMs ?? policy.deadlineMs);
  budget.earn();
  for (let attempts = 1; ; attempts += 1) {
    const timeoutMs = Math.min(options.timeoutMs ?? context.timeoutMs, endMs - runtime.monotonicMs());
    try {
      const { signal, alsoStatus } = options;
      return await sendAttempt(context, request, { timeoutMs, signal, alsoStatus });
    } catch (error) {
      if (!(error instanceof KeyswarmError)) throw error;
      error.attempts = attempts;
      const pauseMs = pauseBeforeRetryMs(policy, {
        error,
        route: request.route,
        attempts,
        remainingMs: endMs - runtime.monotonicMs(),
        random: runtime.random(),
      });
      if (pauseMs === undefined || !budget.spend()) throw error;
      await runtime.sleep(pauseMs, options.signal);
      // A busy process sleeps longer than it meant to.
      if (runtime.monotonicMs() >= endMs) throw error;
    }
  }
}

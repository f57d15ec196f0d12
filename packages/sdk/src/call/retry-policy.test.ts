import { routes } from '@keyswarm/contract/routes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyswarmError } from '../errors/keyswarm-error.ts';
import { pauseBeforeRetryMs, RetryBudget, retryPolicyDefault } from './retry-policy.ts';

const overloaded = (retryAfterMs?: number) =>
  new KeyswarmError('overloaded', { detail: '', operationId: 'issueKey', retryAfterMs });

describe('the pause before a retry', () => {
  it('lies between what the server asked for and that plus a doubling, bounded jitter; and inside the deadline', () => {
    const { attemptsMax, pauseMs, pauseMsMax } = retryPolicyDefault;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: attemptsMax - 1 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.option(fc.nat(100_000), { nil: undefined }),
        fc.nat(100_000),
        (attempts, random, retryAfterMs, remainingMs) => {
          const error = overloaded(retryAfterMs);
          const question = { error, route: routes.issueKey, attempts, remainingMs, random };
          const result = pauseBeforeRetryMs(retryPolicyDefault, question);
          const leastMs = retryAfterMs ?? 0;
          const mostMs = leastMs + Math.min(pauseMsMax, pauseMs * 2 ** (attempts - 1));
          if (result === undefined) expect(remainingMs).toBeLessThanOrEqual(mostMs);
          else {
            expect(result).toBeGreaterThanOrEqual(leastMs);
            expect(result).toBeLessThanOrEqual(mostMs);
            expect(result).toBeLessThan(remainingMs);
          }
        },
      ),
    );
  });
});

describe('the budget', () => {
  it('never lets retries be more than its burst and its share of the calls', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (acts) => {
        const policy = { ...retryPolicyDefault, budgetTokensMax: 3, budgetTokensPerCall: 0.25 };
        const budget = new RetryBudget(policy);
        let calls = 0;
        let retries = 0;
        for (const isCall of acts) {
          if (isCall) {
            calls += 1;
            budget.earn();
          } else if (budget.spend()) retries += 1;
        }
        expect(retries).toBeLessThanOrEqual(3 + calls * 0.25);
      }),
    );
  });
});

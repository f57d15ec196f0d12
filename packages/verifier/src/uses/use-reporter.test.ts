import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import { usesBatchMs, usesPassedOnMax, usesPerAskMax } from '../limits.ts';
import { keyId, keyspaceId, startMs } from '../testing/sample-facts.arbitrary.ts';
import type { KeyUse } from './key-use.ts';
import { UseReporter } from './use-reporter.ts';

const use = (number: number, atMs = startMs, version = 1): KeyUse => ({
  keyId: keyId(number),
  keyspaceId: keyspaceId(1),
  version,
  atMs,
});

function reporterOf(own: KeyUse[] = []) {
  const clock = new ManualVerifierClock(startMs);
  const reporter = new UseReporter((countMax) => own.splice(0, countMax), clock);
  return { clock, reporter, own };
}

describe('telling of uses', () => {
  it('puts what came in a second into one batch, and keeps it until it was taken', () => {
    const { clock, reporter, own } = reporterOf([use(1)]);
    const first = reporter.next() ?? [];
    expect(first).toEqual([use(1)]);
    own.push(use(2));
    expect(reporter.next(), 'not taken yet').toBe(first);
    reporter.told(first, 'not_taken');
    expect(reporter.next()).toBe(first);
    reporter.told(first, 'taken');
    expect(reporter.next()).toBeUndefined();
    clock.advance(usesBatchMs - 1);
    own.push(use(3));
    expect(reporter.next()).toBeUndefined();
    clock.advance(1);
    expect(reporter.next()).toEqual([use(2), use(3)]);
  });

  it('leaves the batch out of the ask that follows a failed one, so that it never costs a lease', () => {
    const { reporter } = reporterOf([use(1)]);
    const batch = reporter.next() ?? [];
    reporter.told(batch, 'failed');
    expect(reporter.next()).toBeUndefined();
    expect(reporter.next()).toBe(batch);
  });

  it('tells no more at once than an ask carries, and the rest with the next ask', () => {
    const many = Array.from({ length: usesPerAskMax + 7 }, (_, at) => use(at));
    const { reporter } = reporterOf([...many]);
    const batch = reporter.next() ?? [];
    expect(batch).toEqual(many.slice(0, usesPerAskMax));
    reporter.told(batch, 'taken');
    expect(reporter.next()).toEqual(many.slice(usesPerAskMax));
  });

  it('of uses that are passed on keeps the first and the last of each version', () => {
    const { reporter } = reporterOf([use(9)]);
    for (const atMs of [startMs + 5, startMs + 1, startMs + 9, startMs + 7]) {
      expect(reporter.passOn([use(1, atMs)])).toBe(true);
    }
    expect(reporter.passOn([use(1, startMs + 3, 2)])).toBe(true);
    expect(reporter.next()).toEqual([
      use(1, startMs + 1),
      use(1, startMs + 9),
      use(1, startMs + 3, 2),
      use(9),
    ]);
  });

  it('takes nothing from those behind it past its bound, so that they keep what they told', () => {
    const { reporter } = reporterOf();
    for (let at = 0; at < usesPassedOnMax; at += 64) {
      expect(reporter.passOn(Array.from({ length: 64 }, (_, more) => use(at + more)))).toBe(true);
    }
    expect(reporter.passOn([use(usesPassedOnMax)])).toBe(false);
    reporter.told(reporter.next() ?? [], 'taken');
    expect(reporter.passOn([use(usesPassedOnMax)])).toBe(true);
  });
});

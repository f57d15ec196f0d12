import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAcceptance } from '../history/operation.ts';
import { honestEvidence } from '../testing/honest-world.ts';
import { boundMs } from '../testing/story-teller.ts';
import { checkHistory } from './check-history.ts';
import type { Evidence } from './evidence.ts';

const runs = Number(process.env.RUNS ?? 300);
const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };
/** The feed and the audit chain of that system are not made up: they are judged by themselves. */
const leftOut: ReadonlySet<string> = new Set(['I6', 'I9']);
const broken = (evidence: Evidence) =>
  checkHistory(evidence)
    .verdicts.filter(({ id, holds }) => !holds && !leftOut.has(id))
    .flatMap(({ id, violations }) => violations.map((text) => `${id} ${text}`));

describe('of a system that keeps its promises', () => {
  it('no history is called broken, whatever was lost and however late verifiers heard of it', () => {
    fc.assert(
      fc.property(honestEvidence, (evidence) => {
        expect(broken(evidence)).toEqual([]);
      }),
      { numRuns: runs, ...seed },
    );
  });

  it('a history is called broken once an acceptance is moved past T after a revocation, wherever it stood', () => {
    fc.assert(
      fc.property(honestEvidence, (evidence) => {
        const ack = evidence.operations.find(({ kind, outcome }) => kind === 'revoke' && outcome === 'ok');
        const accepted = evidence.operations.find(isAcceptance);
        fc.pre(ack !== undefined && accepted !== undefined);
        if (ack === undefined || accepted === undefined) return;
        const lateMs = ack.settledMs + boundMs + 1;
        const moved = { ...accepted, invokedMs: lateMs, settledMs: lateMs + 1 };
        const operations = evidence.operations.map((one) => (one === accepted ? moved : one));
        expect(broken({ ...evidence, operations }).join()).toContain('I1');
      }),
      { numRuns: runs, ...seed },
    );
  });

  it('a history is called broken once what was acknowledged last is undone in the store', () => {
    fc.assert(
      fc.property(honestEvidence, (evidence) => {
        const acked = evidence.operations.some(({ kind, outcome }) => kind === 'revoke' && outcome === 'ok');
        fc.pre(acked);
        const finalKeys = evidence.finalKeys.map((key) => ({ ...key, state: 'active' }));
        expect(broken({ ...evidence, finalKeys }).join()).toContain('I2');
      }),
      { numRuns: runs, ...seed },
    );
  });
});

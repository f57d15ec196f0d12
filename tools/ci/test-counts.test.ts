import { describe, expect, it } from 'vitest';
import { countTests } from './test-counts.ts';

const file = (status: string, ...statuses: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: statuses.map((each) => ({ status: each, fullName: `which ${each}` })),
});

describe('the last line of the CI run', () => {
  it('counts tests, not files', () => {
    const report = { testResults: [file('passed', 'passed', 'passed'), file('failed', 'failed', 'passed')] };
    expect(countTests(report, 1)).toMatchObject({ passed: 3, failed: 1 });
  });

  it('counts a file that broke before its first test', () => {
    expect(countTests({ testResults: [file('failed'), file('passed', 'passed')] }, 1)).toMatchObject({
      passed: 1,
      failed: 1,
    });
  });

  it.each([
    ['lint or types failed, so that no report was written', undefined, 2],
    ['every test passed but the run did not', { testResults: [file('passed', 'passed')] }, 1],
    ['nothing ran at all', { testResults: [] }, 0],
  ])('never says that nothing failed when %s', (_, report, exitCode) => {
    expect(countTests(report, exitCode).failed).toBe(1);
  });

  it.each(['pending', 'skipped', 'todo'])('counts a test that is %s as a failure, and names it', (status) => {
    const report = { testResults: [file('passed', 'passed', status)] };
    expect(countTests(report, 0)).toEqual({ passed: 1, failed: 1, notes: [`left out: which ${status}`] });
  });
});

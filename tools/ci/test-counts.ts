export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly notes: readonly string[];
}

interface FileResult {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

/**
 * Counts what vitest's JSON report says test by test, and then what it doesn't say: a file that broke before
 * its first test, and a run that failed outside every test (lint, types, an unhandled error), are one failure
 * each. So is a test that was left out: what is not looked at is not known to hold. The worse error is a line
 * that says "0 failed" over a run that did not pass.
 */
export function countTests(report: unknown, exitCode: number): TestCounts {
  const files = isReport(report) ? report.testResults : [];
  const tests = files.flatMap((file) => file.assertionResults);
  const ended = (as: string): number => tests.filter(({ status }) => status === as).length;
  const broken = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  );
  const leftOut = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const told = ended('failed') + broken.length + leftOut.length;

  const notes = [
    ...broken.map((file) => `failed outside its tests: ${file.name}`),
    ...leftOut.map(({ fullName }) => `left out: ${fullName}`),
  ];
  if (tests.length === 0) notes.push('no test ran: lint, types or the runner failed before');
  const failed = told === 0 && (exitCode !== 0 || tests.length === 0) ? 1 : told;
  if (failed > told && tests.length > 0) notes.push(`failed outside the tests: exit code ${exitCode}`);
  return { passed: ended('passed'), failed, notes };
}

function isReport(report: unknown): report is { readonly testResults: readonly FileResult[] } {
  return (
    typeof report === 'object' &&
    report !== null &&
    'testResults' in report &&
    Array.isArray(report.testResults)
  );
}

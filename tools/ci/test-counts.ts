export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly notes: readonly string[];
}

interface FileResult {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

/**
 * Counts what vitest's JSON report says test by test, and then what it doesn't say: a file that broke before
 * its first test, and a run that failed outside every test (lint, types, an unhandled error), are one failure
 * each. The worse error is a line that says "0 failed" over a run that did not pass.
 */
export function countTests(report: unknown, exitCode: number): TestCounts {
  const files = isReport(report) ? report.testResults : [];
  const statuses = files.flatMap((file) => file.assertionResults.map(({ status }) => status));
  const broken = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  );
  const passed = statuses.filter((status) => status === 'passed').length;
  const failedTests = statuses.filter((status) => status === 'failed').length + broken.length;
  const leftOut = statuses.length - passed - (failedTests - broken.length);

  const notes = broken.map((file) => `failed outside its tests: ${file.name}`);
  if (leftOut > 0) notes.push(`${leftOut} left out`);
  if (statuses.length === 0) notes.push('no test ran: lint, types or the runner failed before');
  const failed = failedTests === 0 && (exitCode !== 0 || statuses.length === 0) ? 1 : failedTests;
  if (failed > failedTests && statuses.length > 0)
    notes.push(`failed outside the tests: exit code ${exitCode}`);
  return { passed, failed, notes };
}

function isReport(report: unknown): report is { readonly testResults: readonly FileResult[] } {
  return (
    typeof report === 'object' &&
    report !== null &&
    'testResults' in report &&
    Array.isArray(report.testResults)
  );
}

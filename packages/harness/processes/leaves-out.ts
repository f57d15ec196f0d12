/**
 * For `describe.skipIf`: whether there is a reason to leave a suite out, which is then said. Under CI a test that was left out
 * counts as a failure (tools/ci/test-counts.ts).
 */
export function leavesOut(why: string | undefined): boolean {
  if (why !== undefined) console.warn(`left out: ${why}`);
  return why !== undefined;
}

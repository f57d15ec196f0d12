import fc from 'fast-check';
import { expect, vi } from 'vitest';

/*
 * Core has the same for its own tests. It isn't shared, because a package exports what its users need, and a door
 * of core that leads to a test runner would be open to everybody.
 */

// With a large RUNS a test may well take minutes; that is no failure.
vi.setConfig({ testTimeout: 600_000 });

/** `SEED` and `RUNS` of the environment; a test file passes `process.env`. */
export interface Replay {
  readonly SEED?: string | undefined;
  readonly RUNS?: string | undefined;
}

/** Checks a property, with `SEED` and `RUNS` if they are given, and names the command that replays a failure. */
export function checkProperty<Values>(
  property: fc.IProperty<Values>,
  environment: Replay,
  runsDefault = 300,
): void {
  const numRuns = environment.RUNS === undefined ? runsDefault : Number(environment.RUNS);
  const seed = environment.SEED === undefined ? {} : { seed: Number(environment.SEED) };
  const details = fc.check(property, { numRuns, ...seed });
  if (!details.failed) return;
  const report = fc.defaultReportMessage(details) ?? 'the property does not hold';
  throw new Error(`${report}\n\nReplay: ${replayCommand(details.seed, numRuns)}`, {
    cause: details.errorInstance,
  });
}

export function replayCommand(seed: number, runs: number): string {
  const { currentTestName, testPath } = expect.getState();
  const file = testPath?.slice(testPath.indexOf('packages/')) ?? '';
  const title = (currentTestName ?? '').replaceAll(' > ', ' ').replaceAll('"', '');
  return `SEED=${seed} RUNS=${runs} npx vitest run --project unit ${file} -t "${title}"`;
}

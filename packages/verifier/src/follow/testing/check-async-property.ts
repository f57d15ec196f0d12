import fc from 'fast-check';

/** `SEED` and `RUNS` of the environment; a test file passes `process.env`. */
export interface Replay {
  readonly SEED?: string | undefined;
  readonly RUNS?: string | undefined;
}

/** Checks a property with a fresh seed, or the given one, and names the command that replays a failure. */
export async function checkAsyncProperty<Values>(
  property: fc.IAsyncProperty<Values>,
  replay: { readonly environment: Replay; readonly runsDefault: number; readonly file: string },
): Promise<void> {
  const { SEED, RUNS } = replay.environment;
  const numRuns = RUNS === undefined ? replay.runsDefault : Number(RUNS);
  const details = await fc.check(property, {
    numRuns,
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  });
  if (!details.failed) return;
  const command = `SEED=${details.seed} RUNS=${numRuns} npx vitest run --project unit ${replay.file}`;
  throw new Error(`${fc.defaultReportMessage(details)}\n\nReplay: ${command}`, {
    cause: details.errorInstance,
  });
}

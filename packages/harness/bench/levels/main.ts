import { benchUsage, readBenchArgs } from './bench-args.ts';
import { BenchError } from './bench-error.ts';
import { runAndReport } from './run-and-report.ts';

/*
 * keyswarm bench, npm run bench -- …
 *
 * Exit codes: 0 measured; 1 measured, and a verdict was wrong under load or no level was valid; 2 what was asked for
 * makes no sense, or there is nothing to measure.
 */

try {
  const command = readBenchArgs(process.argv.slice(2));
  if (command.kind === 'help') console.log(benchUsage);
  else process.exitCode = await runAndReport(command);
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

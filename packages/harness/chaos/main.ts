import { ChaosError } from './chaos-error.ts';
import { chaosUsage, readChaosArgs } from './run/chaos-args.ts';
import { runAndReport } from './run/run-and-report.ts';
import { scenarios } from './scenarios/scenarios.ts';

/* keyswarm chaos, npm run chaos -- …: see chaosUsage. */

try {
  const command = readChaosArgs(process.argv.slice(2), scenarios);
  if (command.kind === 'help') console.log(chaosUsage);
  else if (command.kind === 'list')
    for (const { name, about } of scenarios) console.log(`${name.padEnd(26)}${about}`);
  else process.exitCode = await runAndReport(command.options);
} catch (error) {
  if (!(error instanceof ChaosError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

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
  process.exitCode = error instanceof ChaosError ? 2 : 1;
  console.error(error instanceof ChaosError ? error.message : error);
}
// All has been ended and written. Without a word Node would wait for sockets that were reset after their other half had been shut,
// and of those libuv never says that they are closed: seen as a process that spins for ever in its own clean-up.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));

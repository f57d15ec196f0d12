import { readFileSync } from 'node:fs';
import { Command, CommanderError, Help, type OutputConfiguration } from 'commander';
import { addAgentCommand } from './commands/agent.ts';
import { addApprovalCommands } from './commands/approval.ts';
import { addBenchCommand } from './commands/bench.ts';
import { addCampaignCommands } from './commands/campaign.ts';
import { addChaosCommand } from './commands/chaos.ts';
import { addClusterCommand } from './commands/cluster.ts';
import { addConfigCommands } from './commands/config.ts';
import { addDeadLetterCommands } from './commands/dead-letters.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEnrollmentCommands, addHolderCommands } from './commands/enrollment.ts';
import { addEventCommands } from './commands/events.ts';
import { addFeedCommands } from './commands/feed.ts';
import { addImportCommand } from './commands/import-keys.ts';
import { addKeyChangeCommands } from './commands/key-change.ts';
import { addKeyIssueCommand } from './commands/key-issue.ts';
import { addKeyReadCommands } from './commands/key-read.ts';
import { addKeyRotateCommands } from './commands/key-rotate.ts';
import { addKeyRotationCommand } from './commands/key-rotation.ts';
import { addKeyVerifyCommand } from './commands/key-verify.ts';
import { addKeyspaceCommands } from './commands/keyspace.ts';
import { addMintBootstrapKeyCommand } from './commands/mint-bootstrap-key.ts';
import { addOwnerCommands } from './commands/owner.ts';
import { addSigningKeyCommands } from './commands/signing-key.ts';
import { addStartCommand } from './commands/start.ts';
import { addTokenCommands } from './commands/token.ts';
import { addVerifierCommand } from './commands/verifier.ts';
import { addVerifiersCommands } from './commands/verifiers.ts';
import { addWebhookCommands } from './commands/webhook.ts';
import type { GlobalOptions, Surroundings } from './context.ts';
import { exitCodeOf, reportError } from './report-error.ts';
import { type RunAction, runnerFor } from './runner.ts';

/*
 * The command: parses, runs one action, turns what went wrong into words and an exit code.
 *
 *   stdout  results and nothing else; under --json one JSON document a line
 *   stderr  progress, hints, errors
 *   exit    0 done; 1 a verdict is not "valid", or doctor found a fault; otherwise the `exit` of the fault's
 *           row in the error registry: 2 input, 3 not found, 4 not allowed, 5 conflict, 6 try again later,
 *           7 fault of the server; 130 interrupted; 141 the reader of stdout went away
 */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  let exitCode = 0;
  let command: Command | undefined;
  const program = buildProgram(
    runnerFor(surroundings, {
      begins(begun) {
        command = begun;
      },
      ends(code) {
        exitCode = code;
      },
    }),
    {
      writeOut: (text) => void surroundings.stdout.write(text),
      writeErr: (text) => void surroundings.stderr.write(text),
    },
  );
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      reportError(error, { options: program.opts<GlobalOptions>(), command }, surroundings);
    }
    return exitCodeOf(error);
  }
}

/** What is set on the program before its commands are added holds for them too. */
export function buildProgram(action: RunAction, output: OutputConfiguration = {}): Command {
  const program = new Command('keyswarm');
  program
    .description('Issue, verify, rotate and revoke provisioning keys.')
    .version(packageVersion(), '--version', 'print the version')
    .option('--url <url>', 'the server; KEYSWARM_URL, or http://127.0.0.1:7070')
    .option('--key-file <path>', 'a file that holds the management key, in place of KEYSWARM_KEY')
    .option('--json', 'print results as JSON, one document a line')
    .option('--quiet', 'print results and errors only')
    .option('--no-color', 'print without colours; also NO_COLOR=1')
    .configureHelp({
      optionDescription: (option) =>
        `${new Help().optionDescription(option)}${option.mandatory ? ' (required)' : ''}`,
    })
    .showHelpAfterError('(--help shows what is accepted)')
    // Commander would end the process by itself: here only `main.ts` does.
    .exitOverride()
    .configureOutput(output);

  addStartCommand(program, action);
  addVerifierCommand(program, action);
  addKeyspaceCommands(program.command('keyspace').description('families of keys and their policy'), action);
  addOwnerCommands(program.command('owner').description('who holds keys'), action);
  const key = program.command('key').description('keys');
  addKeyIssueCommand(key, action);
  addKeyReadCommands(key, action);
  addKeyVerifyCommand(key, action);
  addKeyRotateCommands(key, action);
  addKeyRotationCommand(key, action);
  addKeyChangeCommands(key, action);
  addEnrollmentCommands(
    program.command('enrollment').description('keys that are exchanged for lasting ones'),
    action,
  );
  addHolderCommands(program, action);
  addAgentCommand(program, action);
  addCampaignCommands(
    program.command('campaign').description('rotate or revoke many keys, a sample first and at a pace'),
    action,
  );
  addApprovalCommands(
    program.command('approval').description('keys that a second manager has to agree to'),
    action,
  );
  addTokenCommands(program.command('token').description('tokens that are derived of keys'), action);
  addSigningKeyCommands(
    program.command('signing-key').description('the keys that tokens are signed with'),
    action,
  );
  addImportCommand(program, action);
  addWebhookCommands(program.command('webhook').description('where events are sent'), action);
  addDeadLetterCommands(program.command('dead-letters').description('what was given up'), action);
  addEventCommands(program.command('events').description('what happened'), action);
  addVerifiersCommands(
    program.command('verifiers').description('who verifies, beside and behind the server'),
    action,
  );
  addFeedCommands(program.command('feed').description('the feed that verifiers follow'), action);
  addBenchCommand(program, action);
  addChaosCommand(program, action);
  addClusterCommand(program, action);
  addDoctorCommand(program, action);
  addMintBootstrapKeyCommand(program, action);
  addConfigCommands(program.command('config').description("the server's settings"), action);
  return program;
}

function packageVersion(): string {
  const path = new URL('../package.json', import.meta.url);
  const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'));
  return version;
}

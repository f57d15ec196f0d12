import process from 'node:process';
import { run } from './run.ts';

/** The process of the command. Started by `bin/keyswarm.mjs`, which sees to the right Node. */
if (process.channel) {
  // The launcher holds the other end: if it is gone, however it went, nobody is left who could stop this one.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}

const exitCode = await run(process.argv.slice(2), {
  variables: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  nowMs: () => performance.now(),
});

process.exitCode = exitCode;
// A server that started goes on. What failed ends now, whatever it left waiting, once all is written that was said.
if (exitCode !== 0) process.stdout.write('', () => process.stderr.write('', () => process.exit()));

import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { run } from '../run.ts';
import type { CommandResult, Variables } from './spawn-command.ts';

/** The command inside this process, with streams of its own: for what needs no process to be seen. */
export async function runCaptured(
  args: readonly string[],
  { variables, stdin = '' }: { readonly variables: Variables; readonly stdin?: string },
): Promise<CommandResult> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const written = Promise.all([text(stdout), text(stderr)]);
  const code = await run(args, {
    variables,
    stdin: Readable.from([stdin]),
    stdout,
    stderr,
    nowMs: () => performance.now(),
  });
  stdout.end();
  stderr.end();
  const [out, err] = await written;
  return { stdout: out, stderr: err, code };
}

import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Secret } from '@keyswarm/core';
import { InputError } from '../input-error.ts';
import type { Input, Terminal } from './terminal.ts';

/*
 * How a key string gets in without standing where others can read it. Arguments of a process are shown to
 * every user of the machine and kept in the shell's history, so they are the last choice and warned about;
 * stdin, a file, a variable or a prompt without echo are not.
 */

/** What one read of stdin may hold: a verifier answers any string, and a megabyte of it is `malformed`. */
const bytesMax = 2 * 1024 * 1024;

export interface SecretSource {
  /** As typed: `-` is stdin; anything else is the secret itself. */
  readonly argument?: string | undefined;
  readonly file?: string | undefined;
  /** The name of a variable. */
  readonly variable?: string | undefined;
}

export interface SecretInputs {
  readonly stdin: Input;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
}

export async function readSecret(source: SecretSource, inputs: SecretInputs): Promise<Secret> {
  const given = Object.values(source).filter((value) => value !== undefined);
  if (given.length > 1) {
    throw new InputError('KEY', 'the key is given more than once', 'one of: -, --from-file, --from-env');
  }
  const text = await readText(source, inputs);
  if (text.trim() === '') throw nothingIn(source);
  return new Secret(text);
}

/** Asked of the server, nothing would be `malformed`, as if somebody had held a bad key. */
function nothingIn({ argument, file, variable }: SecretSource): InputError {
  const expected = 'one key string';
  if (variable !== undefined) return new InputError('--from-env', `${variable} is empty`, expected);
  if (file !== undefined)
    return new InputError('--from-file', `the first line of ${file} is empty`, expected);
  if (argument !== undefined && argument !== '-') return new InputError('KEY', 'it is empty', expected);
  return new InputError('-', 'stdin holds no key', expected);
}

async function readText(source: SecretSource, inputs: SecretInputs): Promise<string> {
  const { argument, file, variable } = source;
  if (variable !== undefined) {
    const value = inputs.variables[variable];
    if (value === undefined)
      throw new InputError('--from-env', `${variable} is not set`, 'the name of a variable');
    return value;
  }
  if (file !== undefined) return readSecretFile(file, '--from-file');
  if (argument !== undefined && argument !== '-') {
    inputs.terminal.warn(
      'warning: a key among the arguments is shown to every user of this machine and kept in the shell history; ' +
        'give it on stdin (-), with --from-file or with --from-env',
    );
    return argument;
  }
  if (argument === undefined && inputs.stdin.isTTY) return askHidden('key: ', inputs.stdin);
  return readAll(inputs.stdin);
}

/** The first line of a file, so that a newline at its end does no harm. */
export function readSecretFile(path: string, field: string): string {
  const text = readTextFile(path, field);
  return text.split(/\r?\n/, 1)[0] ?? '';
}

function readTextFile(path: string, field: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, field, error);
  }
}

export function unreadable(path: string, field: string, error: unknown): InputError {
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  return new InputError(field, `${path} can not be read (${why})`, 'a file that can be read');
}

async function readAll(stdin: Input): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > bytesMax) throw new InputError('-', 'stdin holds more than 2 MiB', 'one key string');
    chunks.push(part);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** Asks on stderr, so that stdout stays for the result, and shows nothing of what is typed. */
async function askHidden(question: string, stdin: Input): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: stdin, output: nowhere, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('line', resolve);
      reader.once('SIGINT', () => reject(new InputError('KEY', 'no key was given')));
      reader.once('close', () => reject(new InputError('KEY', 'no key was given')));
    });
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}

/** The lines of a file, or of stdin for `-`, with their numbers from 1; blank ones are left out. */
export async function* readLines(
  path: string,
  field: string,
  stdin: Input,
): AsyncGenerator<{ readonly number: number; readonly text: string }> {
  const input = path === '-' ? stdin : createReadStream(path, 'utf8');
  let number = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (text.trim() !== '') yield { number, text };
    }
  } catch (error) {
    throw path === '-' ? error : unreadable(path, field, error);
  }
}

import { Secret } from '@keyswarm/core';
import { type Client, createClient } from '@keyswarm/sdk';
import { InputError } from './input-error.ts';
import { readSecretFile } from './io/read-secret.ts';
import { type Input, type Output, openTerminal, type Terminal } from './io/terminal.ts';

/** What the process gives the command: everything that a test may want to choose. */
export interface Surroundings {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Monotonic milliseconds, for progress and probes. */
  readonly nowMs: () => number;
}

export interface GlobalOptions {
  readonly url?: string;
  readonly keyFile?: string;
  readonly json?: true;
  readonly quiet?: true;
  /** False under `--no-color`. */
  readonly color: boolean;
}

export interface Context extends Surroundings {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly url: string;
  readonly keyFile: string | undefined;
  /** The management key; throws an `InputError` if there is none. */
  managementKey(): Secret;
  client(): Client;
}

const defaultUrl = 'http://127.0.0.1:7070';

export function openContext(options: GlobalOptions, surroundings: Surroundings): Context {
  const { variables, stdout, stderr } = surroundings;
  const colour = options.color && stdout.isTTY === true && (variables.NO_COLOR ?? '') === '';
  const url = readUrl(urlAsGiven(options, variables));
  const managementKey = () => readManagementKey(options, variables);
  return {
    ...surroundings,
    terminal: openTerminal({ quiet: options.quiet === true, colour, stdout, stderr }),
    json: options.json === true,
    url,
    keyFile: options.keyFile,
    managementKey,
    client: () => openClient(url, managementKey(), variables.KEYSWARM_SIGN_AS || undefined),
  };
}

/** The address that is asked, as it was typed. */
export function urlAsGiven({ url }: GlobalOptions, variables: Surroundings['variables']): string {
  return url ?? (variables.KEYSWARM_URL || defaultUrl);
}

/** What the SDK refuses here was typed by a person, so it is said as such. */
function openClient(baseUrl: string, managementKey: Secret, signAs: string | undefined): Client {
  try {
    return createClient({ baseUrl, managementKey, signAs });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InputError('KEYSWARM_KEY, KEYSWARM_SIGN_AS or --url', error.message);
  }
}

function readUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InputError('--url', `${JSON.stringify(text)} is not a URL of a server`, defaultUrl);
  }
  return text.replace(/\/+$/, '');
}

function readManagementKey(options: GlobalOptions, variables: Surroundings['variables']): Secret {
  const key =
    options.keyFile === undefined ? variables.KEYSWARM_KEY : readSecretFile(options.keyFile, '--key-file');
  if (key === undefined || key === '') {
    const expected =
      'KEYSWARM_KEY, or --key-file with a file that holds it; `keyswarm start` prints one at first';
    throw new InputError('KEYSWARM_KEY', 'no management key is given', expected);
  }
  return new Secret(key);
}

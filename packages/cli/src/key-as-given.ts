import { builtinPrefix, parseKeyString } from '@keyswarm/core';
import type { KeyswarmError } from '@keyswarm/sdk';
import type { Command } from 'commander';
import type { GlobalOptions, Surroundings } from './context.ts';

/** Asked by the holder of a key, by that key. Everything else is asked by the management key. */
const holdersOperations: ReadonlySet<string> = new Set(['getSelf', 'renewSelf', 'revokeSelf', 'enrollKey']);

interface KeyOptions extends GlobalOptions {
  readonly fromFile?: string;
  readonly fromEnv?: string;
  /** Of the agent. */
  readonly file?: string;
}

export interface KeyAsGiven {
  /** Where the key came from. */
  readonly option: string;
  /** What would have done: the server names a header, which nobody typed. */
  readonly expected: string;
}

const accepted = 'that is complete, of this server, and neither revoked nor expired';

/** Where the key came from that the server did not accept. */
export function keyAsGiven(
  { operationId }: Pick<KeyswarmError, 'operationId'>,
  command: Command,
  variables: Surroundings['variables'],
): KeyAsGiven {
  const options = command.optsWithGlobals<KeyOptions>();
  if (!holdersOperations.has(operationId)) return managementKeyAsGiven(options, variables);
  return { option: heldKeyAsGiven(options, command), expected: `a key ${accepted}` };
}

function heldKeyAsGiven({ file, fromFile, fromEnv }: KeyOptions, { args }: Command): string {
  if (file !== undefined) return `--file ${file}`;
  if (fromFile !== undefined) return `--from-file ${fromFile}`;
  if (fromEnv !== undefined) return `--from-env ${fromEnv}`;
  return (args[0] ?? '-') === '-' ? 'the key from standard input' : '[key]';
}

/**
 * The server answers whatever is wrong with a key alike. But only management keys begin as they do, so that a key of
 * something else is known by its first characters, which are no secret.
 */
function managementKeyAsGiven({ keyFile }: KeyOptions, variables: Surroundings['variables']): KeyAsGiven {
  const expected = `a management key ${accepted}`;
  // A file is not read again: it may be a pipe.
  if (keyFile !== undefined) return { option: `--key-file ${keyFile}`, expected };
  const option = 'KEYSWARM_KEY';
  const prefix = parseKeyString(variables.KEYSWARM_KEY ?? '')?.prefix;
  if (prefix === undefined || prefix === builtinPrefix) return { option, expected };
  return {
    option,
    expected: `a management key: it begins with ${builtinPrefix}_, and this key, which is of another keyspace, with ${prefix}_`,
  };
}

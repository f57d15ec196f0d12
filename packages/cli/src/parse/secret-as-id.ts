import { findKeyString } from '@keyswarm/core';
import type { Command } from 'commander';
import { InputError } from '../input-error.ts';

/** Arguments that are no id: a key that is meant as one, a command to run, and what is read or called elsewhere. */
const otherThanIds: ReadonlySet<string> = new Set(['key', 'command', 'file', 'url']);

/**
 * Throws where the secret of a key stands in place of an id, before anything is sent: an id is part of a URL, and URLs
 * are logged on their way. What was typed is not repeated.
 */
export function refuseSecretAsId({ registeredArguments, processedArgs }: Command): void {
  for (const [index, argument] of registeredArguments.entries()) {
    if (otherThanIds.has(argument.name())) continue;
    const typed: readonly unknown[] = [processedArgs[index]].flat();
    if (!typed.some((text) => typeof text === 'string' && holdsSecret(text))) continue;
    throw new InputError(
      `<${argument.name()}>`,
      "this is a key's secret and not an id; nothing was sent, but your shell may keep it in its history",
      `${argument.description}; to see the id of that key: keyswarm self; to end it: keyswarm self --revoke (both ask for the secret)`,
    );
  }
}

/** A key string, or a key that is a JWT: a header and claims, each of which begins with `{"` in base64url. */
function holdsSecret(text: string): boolean {
  return findKeyString(text) || /eyJ[\w-]{16,}\.eyJ/.test(text);
}

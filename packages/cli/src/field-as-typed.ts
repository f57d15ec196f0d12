import type { Command } from 'commander';

/*
 * The server names a field of its API; a person typed an option. `/selector/issued_before` is `--issued-before`, `/scopes/0`
 * is `--scope`, `/owner/external_id` is `--owner`, `/ttl_seconds` is `--ttl`, and `id` is the command's argument: each
 * part of the path, the last one first and with the one before it, is looked for among what the command takes.
 */

/** What no rule would find. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  allowed_scopes: ['scope'],
  external_id_prefix: ['owner-prefix'],
  kinds: ['owner-kind'],
};

/** The option or argument of the command that the field came from; undefined where there is none. */
export function fieldAsTyped(field: string, command: Command): string | undefined {
  const parts = field.split('/').filter((part) => part !== '' && !/^\d+$/.test(part));
  for (const [index, part] of [...parts.entries()].toReversed()) {
    const whole = namesOf(part).map((name) => `${parts[index - 1] ?? ''}-${name}`);
    for (const name of [...whole, ...namesOf(part)]) {
      const option = command.options.find(({ long }) => long === `--${name}`);
      if (option?.long) return option.long;
      const argument = command.registeredArguments.find((one) => one.name() === name);
      if (argument !== undefined) return `<${name}>`;
    }
  }
  // What is named in the path of a request is what the command is about.
  const [about] = command.registeredArguments;
  return field === 'id' && about !== undefined ? `<${about.name()}>` : undefined;
}

function namesOf(part: string): readonly string[] {
  const name = part.replace(/_(seconds|ms|at_most)$/, '').replaceAll('_', '-');
  return [name, name.replace(/s$/, ''), part.replaceAll('_', '-'), ...(otherNames[part] ?? [])];
}
